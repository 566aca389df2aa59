//! Answers of WinRM hosts: no bytes may panic, hang or take memory beyond their own, and what was
//! read must be within the bounds that are promised.
#![no_main]

use ioms::transport::winrm::parse;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    match parse(bytes) {
        Err(error) => assert!(error.to_string().len() < 1000),
        Ok(response) => {
            for name in [&response.shell, &response.command].into_iter().flatten() {
                assert!(!name.is_empty() && name.len() <= 256);
            }
            let output: usize = response.output.iter().map(|(_, bytes)| bytes.len()).sum();
            assert!(output <= bytes.len());
            if let Some(fault) = &response.fault {
                assert!(fault.message.len() <= 3 * 4096 && !fault.message.contains('\n'));
            }
        }
    }
});
