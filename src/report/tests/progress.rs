//! How a run goes on, on standard error.

use std::sync::LazyLock;

use indicatif::{ProgressDrawTarget, TermLike};
use unicode_width::UnicodeWidthChar as _;

use super::*;

fn run(look: Look, hosts: &[&str]) -> Show {
    let options = Options {
        progress: true,
        ..options(Form::Fold)
    };
    Show::new(options, look, header("run", Some("uname -s"), hosts))
}

#[test]
fn without_a_terminal_a_plain_line_comes_every_thirty_seconds_and_says_for_whom_it_waits() {
    let mut show = run(Look::default(), &["web01", "web02", "db17", "数据库"]);
    show.start(0).start(1).start(2).start(3);
    show.after(20_000).waiting(&[(0, 20, 20)]);
    show.done(0, result(""));
    show.after(15_000)
        .waiting(&[(2, 34, 34), (3, 33, 2), (1, 4, 1)]);
    show.after(20_000).waiting(&[(2, 54, 54)]);
    show.done(1, result("").exit(1));
    show.done(3, result(""));
    show.after(160_000).waiting(&[(2, 214, 180)]);
    show.done(2, result(""));
    insta::assert_snapshot!(show.end(), @"
    2 1/4 done: 1 ok, 3 running, waiting on: db17 (34 s, no output), 数据库 (33 s, last output 2 s ago)
    2 3/4 done: 2 ok, 1 failed, 1 running, waiting on: db17 (214 s, last output 180 s ago)
    1 ---------------
    1 web01,db17,数据库 (3)
    1 ---------------
    1 ---------------
    1 web02: failed, exit 1
    1 ---------------
    2 4 hosts: 3 ok, 1 failed in 1.5s  (run 019ab000-0000-7000-8000-000000000001)
    ");
}

#[test]
fn hosts_cancelled_before_they_began_are_not_taken_for_running_ones() {
    let mut show = run(Look::default(), &["a", "b", "c"]);
    show.start(0)
        .done(1, error(Outcome::Cancelled, ErrorKind::Gate, "gate"))
        .done(2, error(Outcome::Cancelled, ErrorKind::Gate, "gate"));
    show.after(31_000).waiting(&[(0, 31, 31)]);
    insta::assert_snapshot!(show.paper.shown(), @"2 2/3 done: 2 cancelled, 1 running, waiting on: a (31 s, no output)");
}

#[test]
fn quiet_writes_no_progress() {
    let look = Look {
        quiet: true,
        ..Look::default()
    };
    let mut show = run(look, &["a"]);
    show.start(0).after(60_000).waiting(&[(0, 60, 60)]);
    show.done(0, result(""));
    insta::assert_snapshot!(show.end(), @"
    1 ---------------
    1 a
    1 ---------------
    ");
}

/// A terminal of 90 columns: the moving line is cut at its edge.
#[derive(Debug, Default)]
struct Narrow(Mutex<Grid>);

#[derive(Debug, Default)]
struct Grid {
    rows: Vec<String>,
    row: usize,
    column: usize,
    /// Everything that was ever drawn.
    drawn: String,
}

const COLUMNS: usize = 90;

impl Grid {
    fn put(&mut self, c: char) {
        let width = c.width().unwrap_or(0);
        if c == '\n' || self.column + width > COLUMNS {
            (self.row, self.column) = (self.row + 1, 0);
        }
        if c == '\r' {
            self.column = 0;
        }
        self.rows
            .resize(self.rows.len().max(self.row + 1), String::new());
        if width > 0 {
            self.rows[self.row].push(c);
            self.column += width;
        }
        self.drawn.push(c);
    }
}

static SCREEN: LazyLock<Arc<Narrow>> = LazyLock::new(Arc::default);
static FILES: LazyLock<Arc<Narrow>> = LazyLock::new(Arc::default);

#[derive(Debug)]
struct Handle(Arc<Narrow>);

impl TermLike for Handle {
    fn width(&self) -> u16 {
        u16::try_from(COLUMNS).unwrap()
    }
    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        self.0.0.lock().unwrap().row -= n;
        Ok(())
    }
    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        self.0.0.lock().unwrap().row += n;
        Ok(())
    }
    fn move_cursor_right(&self, _: usize) -> io::Result<()> {
        Ok(())
    }
    fn move_cursor_left(&self, _: usize) -> io::Result<()> {
        Ok(())
    }
    fn write_line(&self, text: &str) -> io::Result<()> {
        self.write_str(&format!("{text}\n"))
    }
    fn write_str(&self, text: &str) -> io::Result<()> {
        let mut grid = self.0.0.lock().unwrap();
        text.chars().for_each(|c| grid.put(c));
        Ok(())
    }
    fn clear_line(&self) -> io::Result<()> {
        let mut grid = self.0.0.lock().unwrap();
        let row = grid.row;
        if let Some(row) = grid.rows.get_mut(row) {
            row.clear();
        }
        grid.column = 0;
        Ok(())
    }
    fn flush(&self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn the_moving_line_names_whom_it_waits_for_and_leaves_nothing_on_the_terminal() {
    let paper = Paper::default();
    let screen = paper
        .screen(TERMINAL)
        .draw_on(|| ProgressDrawTarget::term_like_with_hz(Box::new(Handle(SCREEN.clone())), 200));
    let options = Options {
        progress: true,
        ..options(Form::Live)
    };
    let mut show = Show {
        report: Report::new(screen, options),
        paper,
        summary: Summary::new(3),
        now: at(0),
    };
    let header = header("run", Some("x"), &["web01", "游戏服-17", "db\x1b[2J"]);
    show.say(Event::RunStarted(Arc::new(header)));
    show.start(0).start(1).start(2);
    for second in 10..20 {
        show.waiting(&[(1, 200 + second, 180), (2, 200, 200)]);
        show.out(0, "a line\n");
        std::thread::sleep(Duration::from_millis(10));
    }
    for host in 0..3 {
        show.done(host, result(""));
    }
    insta::assert_snapshot!(show.end().replace("1 web01: a line\n", "."), @"..........2 3 hosts: 3 ok in 1.5s  (run 019ab000-0000-7000-8000-000000000001)");
    let grid = SCREEN.0.lock().unwrap();
    assert!(
        grid.drawn.contains("waiting on: 游戏服-17 (2"),
        "{}",
        grid.drawn
    );
    assert!(!grid.drawn.contains("\x1b[2J"), "{}", grid.drawn);
    let left: String = grid.rows.concat();
    assert_eq!(left.trim(), "", "{:?}", grid.rows);
}

fn moved(show: &mut Show, moved: u64, expected: u64) -> &mut Show {
    show.say(Event::Moved(Moved { moved, expected }))
}

#[test]
fn without_a_terminal_a_transfers_plain_line_says_how_much_has_moved_and_when_it_will_be_over() {
    let options = Options {
        progress: true,
        ..options(Form::Quiet)
    };
    let header = header("upload", Some("app.tar /srv/"), &["a", "b", "c"]);
    let mut show = Show::new(options, Look::default(), header);
    show.start(0).start(1);
    show.after(31_000).waiting(&[]);
    moved(&mut show, 0, 2 << 30);
    show.after(1000);
    moved(&mut show, 110 << 20, 6 << 30);
    show.done(0, result(""))
        .after(30_000)
        .waiting(&[(1, 62, 62)]);
    insta::assert_snapshot!(show.paper.shown(), @"
    2 0/3 done: 2 running
    2 1/3 done: 1 ok, 1 running, 110 MiB of 6.0 GiB, 110 MiB/s, 55 s left, waiting on: b (62 s, no output)
    ");
}

#[test]
fn the_moving_line_of_a_transfer_is_about_bytes_also_on_one_host() {
    let paper = Paper::default();
    let screen = paper
        .screen(TERMINAL)
        .draw_on(|| ProgressDrawTarget::term_like_with_hz(Box::new(Handle(FILES.clone())), 200));
    let options = Options {
        progress: true,
        ..options(Form::Human)
    };
    let mut show = Show {
        report: Report::new(screen, options),
        paper,
        summary: Summary::new(1),
        now: at(0),
    };
    let header = header("upload", Some("app.tar /srv/"), &["a"]);
    show.say(Event::RunStarted(Arc::new(header)));
    show.start(0);
    let mib: u64 = 1 << 20;
    for second in 0..10 {
        moved(&mut show, second * 100 * mib, 1000 * mib).after(1000);
        std::thread::sleep(Duration::from_millis(20));
    }
    show.out(0, "sent app.tar\n").done(
        0,
        HostResult {
            outcome: Outcome::Changed,
            exit: None,
            ..result("sent app.tar\n")
        },
    );
    insta::assert_snapshot!(show.end(), @"
    1 sent app.tar
    2 a: changed
    ");
    let grid = FILES.0.lock().unwrap();
    for part in [
        "0/1 hosts  500 MiB of 1000 MiB  100 MiB/s  5 s left  1 running",
        "[==========>         ] ",
    ] {
        assert!(grid.drawn.contains(part), "{}", grid.drawn);
    }
    let left: String = grid.rows.concat();
    assert_eq!(left.trim(), "", "{:?}", grid.rows);
}
