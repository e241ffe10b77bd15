fn main() {
    // A plugin is never unloaded.
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete,-z,relro,-z,now");
    println!("cargo:rerun-if-changed=manifest.json");
}
