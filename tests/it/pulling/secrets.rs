//! The token that opens a file is known to its host alone.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use ioms_fleet::Sshd;

use super::bed::{Bed, Door, all_bytes};
use crate::support::Ran;
use crate::upload::bed::noise;

/// The tokens of requests that went by.
type Tokens = Arc<Mutex<Vec<String>>>;

/// Somebody on the way who reads what is asked for. (Without TLS: that's how a test sees tokens.)
fn listener_in(to: SocketAddr) -> (SocketAddr, Tokens) {
    let tokens = Tokens::default();
    let listener = TcpListener::bind("127.88.0.2:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn({
        let tokens = tokens.clone();
        move || {
            for guest in listener.incoming().flatten() {
                let tokens = tokens.clone();
                std::thread::spawn(move || pass(guest, to, &tokens));
            }
        }
    });
    (address, tokens)
}

fn pass(mut guest: TcpStream, to: SocketAddr, tokens: &Tokens) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        guest.read_exact(&mut byte).unwrap();
        request.extend(byte);
    }
    let text = String::from_utf8(request.clone()).unwrap();
    let path = text.split(' ').nth(1).unwrap();
    tokens.lock().unwrap().push(path[1..].to_owned());
    let mut server = TcpStream::connect(to).unwrap();
    server.write_all(&request).unwrap();
    // The guest may leave first.
    let _ = std::io::copy(&mut server, &mut guest);
}

/// The processes that show one of the tokens, in their arguments or their environment.
fn shown(tokens: &Tokens) -> Vec<String> {
    let tokens = tokens.lock().unwrap().clone();
    let processes = crate::support::processes();
    processes
        .filter_map(|(path, line)| {
            let environment = std::fs::read(path.join("environ")).unwrap_or_default();
            let text = format!("{line} {}", String::from_utf8_lossy(&environment));
            let told = tokens.iter().any(|token| text.contains(token.as_str()));
            told.then(|| format!("{}: {text}", path.display()))
        })
        .collect()
}

#[test]
fn tokens_are_in_no_process_no_log_no_record_and_no_output() {
    let bed = Bed::new([Sshd::start().unwrap(), super::bed::without(&["curl"])]);
    bed.desk.file("f", noise(6 << 20));
    let door = Door::plain();
    let (address, tokens) = listener_in(door.address());
    let door = door.seen_at(address);
    let log = bed.desk.dir.path().join("log");
    let mut command = bed.command(
        &door,
        &[
            "-vvvv",
            "--log-file",
            log.to_str().unwrap(),
            "--via",
            "pull",
            "--limit-rate",
            "4M",
            "f",
            "~/f",
        ],
    );
    let done = Arc::new(AtomicBool::new(false));
    let watcher = std::thread::spawn({
        let (done, tokens) = (done.clone(), tokens.clone());
        move || {
            let mut looks = 0;
            while !done.load(Ordering::Relaxed) {
                let found = shown(&tokens);
                assert!(found.is_empty(), "{found:#?}");
                looks += usize::from(tokens.lock().unwrap().len() == 2);
            }
            looks
        }
    });
    let ran = Ran::from(command.output().unwrap()).ends_with(0);
    done.store(true, Ordering::Relaxed);
    let looks = watcher.join().unwrap();
    assert!(looks > 3, "{looks}");
    let tokens = tokens.lock().unwrap().clone();
    assert_eq!(tokens.len(), 2, "one for each host: {ran:?}");
    assert_ne!(tokens[0], tokens[1]);
    assert!(!crate::support::read(&log).is_empty());
    let mut told = all_bytes(bed.desk.dir.path());
    for sshd in &bed.sshd {
        told.extend(all_bytes(sshd.dir()));
    }
    told.push(("output".into(), ran.said().into_bytes()));
    for token in &tokens {
        assert!(token.len() >= 43, "256 bits: {token}");
        for (place, bytes) in &told {
            let holds = bytes
                .windows(token.len())
                .any(|part| part == token.as_bytes());
            assert!(!holds, "{}", place.display());
        }
        let mut late = TcpStream::connect(address).unwrap();
        write!(late, "GET /{token} HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        let mut answer = String::new();
        let _ = late.read_to_string(&mut answer);
        assert_eq!(answer, "", "nothing is served after the run");
    }
}
