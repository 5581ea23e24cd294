//! The CPU against the reference.

use cornu_core::{Device, conformance};
use cornu_cpu::Cpu;

#[test]
fn the_cpu_conforms() {
    conformance::run(&Device::new(Cpu::new())).unwrap_or_else(|e| panic!("{e}"));
}
