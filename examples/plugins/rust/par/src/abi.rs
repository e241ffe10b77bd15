//! The declarations of par/plugin.h, as far as a plugin without services needs them.
use std::ffi::c_void;
use std::os::raw::c_char;

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Str {
    pub ptr: *const c_char,
    pub len: usize,
}

pub type Status = i32;
pub const OK: Status = 0;
pub const ERROR: Status = 1;
pub const INTERNAL: Status = 2;
pub const CANCELLED: Status = 3;
pub const MAGIC: u32 = 0x3152_4150;

#[repr(C)]
pub struct Call {
    pub struct_size: u32,
    pub reserved: u32,
    pub host_data: *mut c_void,
    pub state: extern "C" fn(*const Call) -> i32,
    pub remaining_ms: extern "C" fn(*const Call) -> i64,
    pub wait: extern "C" fn(*const Call, i64) -> Status,
    pub on_cancel: extern "C" fn(*const Call, extern "C" fn(*mut c_void), *mut c_void, *mut u64) -> Status,
    pub off_cancel: extern "C" fn(*const Call, u64),
    pub secret: extern "C" fn(*const Call, Str),
    pub max_result_bytes: extern "C" fn(*const Call) -> u64,
    pub result: extern "C" fn(*const Call, *const Str, usize) -> Status,
    pub error: extern "C" fn(*const Call, Str, Str),
}

#[repr(C)]
pub struct Request {
    pub struct_size: u32,
    pub reserved: u32,
    pub task_id: Str,
    pub action: Str,
    pub inputs_json: Str,
    pub connection_json: Str,
}

#[repr(C)]
pub struct Host {
    pub struct_size: u32,
    pub abi_minor: u32,
    pub host_data: *mut c_void,
    pub name: Str,
    pub version: Str,
    pub log: extern "C" fn(*const Host, *const Call, i32, Str),
    pub secret: extern "C" fn(*const Host, Str),
    pub service: extern "C" fn(*const Host, *const c_char) -> *const c_void,
}

#[repr(C)]
pub struct Plugin {
    pub magic: u32,
    pub struct_size: u32,
    pub abi_major: u32,
    pub abi_minor_built: u32,
    pub abi_minor_needed: u32,
    pub reserved: u32,
    pub manifest: extern "C" fn() -> Str,
    pub open: extern "C" fn(*const Host, Str, *const Call, *mut *mut c_void) -> Status,
    pub close: extern "C" fn(*mut c_void),
    pub execute: extern "C" fn(*mut c_void, *const Request, *const Call) -> Status,
    pub extension: Option<extern "C" fn(*const c_char) -> *const c_void>,
}
