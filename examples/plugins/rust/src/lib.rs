//! A plugin in Rust.
use par::{Call, Failure, Host, Plugin, Request};

struct Example {
    host: Host,
}

impl Plugin for Example {
    fn open(host: Host, _settings_json: &str) -> Result<Self, Failure> {
        Ok(Example { host })
    }

    fn execute(&self, request: &Request, call: &Call) -> Result<(), Failure> {
        match request.action() {
            "greet" => {
                self.host.info(call, "greeting");
                call.result(&["{\"greeted\":", request.inputs_json(), "}"])
            }
            "pause" => {
                call.wait(20)?;
                call.result(&["{}"])
            }
            other => Err(Failure::internal(format!("no action {other}"))),
        }
    }
}

par::plugin!(Example, "../manifest.json");
