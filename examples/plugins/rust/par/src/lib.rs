//! A small safe wrapper around the C ABI of par-runner's plugins: implement [`Plugin`] and name it in [`plugin!`].
#[doc(hidden)]
pub mod abi;

use std::ffi::c_void;
use std::panic::{catch_unwind, AssertUnwindSafe};

/// Why an action failed.
pub struct Failure {
    status: abi::Status,
    message: String,
    display: String,
}

impl Failure {
    /// `message` is for those who run the runner and for the user of the workflow.
    pub fn new(message: impl Into<String>) -> Self {
        Failure { status: abi::ERROR, message: message.into(), display: String::new() }
    }
    /// Another text for the user of the workflow.
    pub fn display(mut self, text: impl Into<String>) -> Self {
        self.display = text.into();
        self
    }
    /// A defect of the plugin.
    pub fn internal(message: impl Into<String>) -> Self {
        Failure { status: abi::INTERNAL, ..Failure::new(message) }
    }
    /// The task was cancelled.
    pub fn cancelled() -> Self {
        Failure { status: abi::CANCELLED, ..Failure::new("cancelled") }
    }
}

/// The task. Its texts end with the action.
pub struct Request<'a> {
    raw: &'a abi::Request,
}

impl<'a> Request<'a> {
    pub fn action(&self) -> &'a str {
        text(self.raw.action)
    }
    /// A JSON object that fits the action's input schema.
    pub fn inputs_json(&self) -> &'a str {
        text(self.raw.inputs_json)
    }
    /// The connection with its credentials, as a JSON object.
    pub fn connection_json(&self) -> &'a str {
        text(self.raw.connection_json)
    }
}

/// The running call.
pub struct Call<'a> {
    raw: &'a abi::Call,
}

impl Call<'_> {
    /// Hands over the result: the parts, joined, are one JSON object.
    pub fn result(&self, parts: &[&str]) -> Result<(), Failure> {
        let views: Vec<abi::Str> = parts.iter().map(|part| borrow(part)).collect();
        match (self.raw.result)(self.raw, views.as_ptr(), views.len()) {
            abi::OK => Ok(()),
            status => Err(Failure { status, ..Failure::new("the result was refused") }),
        }
    }
    /// Sleeps; ends early, with an error, when the task is cancelled.
    pub fn wait(&self, milliseconds: i64) -> Result<(), Failure> {
        match (self.raw.wait)(self.raw, milliseconds) {
            abi::OK => Ok(()),
            _ => Err(Failure::cancelled()),
        }
    }
    pub fn is_cancelled(&self) -> bool {
        (self.raw.state)(self.raw) >= 2
    }
    pub fn remaining_milliseconds(&self) -> i64 {
        (self.raw.remaining_ms)(self.raw)
    }
}

/// The runner. Valid as long as the plugin.
#[derive(Clone, Copy)]
pub struct Host {
    raw: *const abi::Host,
}

// The ABI allows every function of the host on any thread.
unsafe impl Send for Host {}
unsafe impl Sync for Host {}

impl Host {
    pub fn info(&self, call: &Call, message: &str) {
        // SAFETY: the host outlives the plugin, which holds this.
        unsafe { ((*self.raw).log)(self.raw, call.raw, 1, borrow(message)) }
    }
}

/// What a plugin is. `execute` runs on several threads at a time.
pub trait Plugin: Sized + Send + Sync {
    fn open(host: Host, settings_json: &str) -> Result<Self, Failure>;
    fn execute(&self, request: &Request, call: &Call) -> Result<(), Failure>;
}

fn text<'a>(view: abi::Str) -> &'a str {
    if view.len == 0 {
        return "";
    }
    // SAFETY: the host lends valid memory until the action ends; Request<'a> and Plugin::open bind the lifetime.
    let bytes = unsafe { std::slice::from_raw_parts(view.ptr as *const u8, view.len) };
    std::str::from_utf8(bytes).unwrap_or("")
}

fn borrow(text: &str) -> abi::Str {
    abi::Str { ptr: text.as_ptr() as *const _, len: text.len() }
}

/// Runs `body`; a panic ends here, and a failure is told to the host.
fn contain<T>(call: *const abi::Call, body: impl FnOnce(&Call) -> Result<T, Failure>) -> Result<T, abi::Status> {
    // SAFETY: the host lends a call until the function returns.
    let call = Call { raw: unsafe { &*call } };
    let outcome = catch_unwind(AssertUnwindSafe(|| body(&call)))
        .unwrap_or_else(|_| Err(Failure::internal("the plugin panicked").display("the plugin failed with an internal error")));
    outcome.map_err(|failure| {
        (call.raw.error)(call.raw, borrow(&failure.message), borrow(&failure.display));
        failure.status
    })
}

#[doc(hidden)]
pub extern "C" fn open<P: Plugin>(
    host: *const abi::Host, settings: abi::Str, call: *const abi::Call, instance: *mut *mut c_void,
) -> abi::Status {
    match contain(call, |_| P::open(Host { raw: host }, text(settings))) {
        Ok(plugin) => {
            // SAFETY: the host gives a place for the instance.
            unsafe { *instance = Box::into_raw(Box::new(plugin)) as *mut c_void };
            abi::OK
        }
        Err(status) => status,
    }
}

#[doc(hidden)]
pub extern "C" fn close<P: Plugin>(instance: *mut c_void) {
    // SAFETY: made by open, and given back once.
    let plugin = unsafe { Box::from_raw(instance as *mut P) };
    let _ = catch_unwind(AssertUnwindSafe(move || drop(plugin)));
}

#[doc(hidden)]
pub extern "C" fn execute<P: Plugin>(
    instance: *mut c_void, request: *const abi::Request, call: *const abi::Call,
) -> abi::Status {
    // SAFETY: made by open; shared between calls, which Plugin: Sync allows.
    let plugin = unsafe { &*(instance as *const P) };
    // SAFETY: the host lends the request until the function returns.
    let request = Request { raw: unsafe { &*request } };
    match contain(call, |call| plugin.execute(&request, call)) {
        Ok(()) => abi::OK,
        Err(status) => status,
    }
}

/// `par::plugin!(Type, "../manifest.json")`: exports the entry point and embeds the manifest. Once in a library.
#[macro_export]
macro_rules! plugin {
    ($plugin:ty, $manifest:literal) => {
        #[used]
        #[link_section = ".par_manifest"]
        static PAR_MANIFEST: [u8; include_bytes!($manifest).len()] = *include_bytes!($manifest);

        extern "C" fn par_manifest() -> $crate::abi::Str {
            $crate::abi::Str { ptr: PAR_MANIFEST.as_ptr() as *const _, len: PAR_MANIFEST.len() }
        }

        static PAR_TABLE: $crate::abi::Plugin = $crate::abi::Plugin {
            magic: $crate::abi::MAGIC,
            struct_size: std::mem::size_of::<$crate::abi::Plugin>() as u32,
            abi_major: 1,
            abi_minor_built: 0,
            abi_minor_needed: 0,
            reserved: 0,
            manifest: par_manifest,
            open: $crate::open::<$plugin>,
            close: $crate::close::<$plugin>,
            execute: $crate::execute::<$plugin>,
            extension: None,
        };

        #[no_mangle]
        pub extern "C" fn par_plugin_v1() -> *const $crate::abi::Plugin {
            &PAR_TABLE
        }
    };
}
