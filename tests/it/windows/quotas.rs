//! Quotas of a Windows: waited for where that helps, else named with what to raise.

use ioms_fleet::windows::Fault;

use super::bed::{Bed, came_out, said};

#[test]
fn a_shell_that_is_refused_for_a_moment_is_asked_for_again() {
    let Some(bed) = Bed::http("a passing quota") else {
        return;
    };
    bed.windows
        .fault(Fault::new("quota-create").times(2))
        .unwrap();
    let host = bed.host(&["echo in"]);
    assert_eq!(host["stdout"], "in\n", "{host}");
    assert_eq!(bed.windows.state().unwrap().taken("quota-create"), 2);
}

#[test]
fn a_quota_that_stays_is_named_with_what_to_raise() {
    let Some(bed) = Bed::http("a lasting quota") else {
        return;
    };
    bed.windows.fault(Fault::new("quota-create")).unwrap();
    let host = bed.host(&["true"]);
    assert_eq!(came_out(&host), ("unreachable", "quota"), "{host}");
    assert!(said(&host).contains("MaxShellsPerUser"), "{host}");
    bed.windows.no_faults().unwrap();
    bed.windows.fault(Fault::new("memory-command")).unwrap();
    let host = bed.host(&["true"]);
    assert_eq!(came_out(&host).1, "quota", "{host}");
    assert!(said(&host).contains("MaxMemoryPerShell"), "{host}");
    bed.is_clean();
}

#[test]
fn messages_are_as_large_as_the_host_allows() {
    let Some(bed) = Bed::http("small envelopes") else {
        return;
    };
    bed.windows.set("max_envelope", 40_000).unwrap();
    let file = bed.desk.file("input", vec![b'x'; 500_000]);
    let host = bed.host(&["--stdin", file.to_str().unwrap(), "wc -c"]);
    assert_eq!(
        host["stdout"].as_str().unwrap_or("").trim(),
        "500000",
        "{host}"
    );
}
