//! Tests of files on the controller.

use super::super::args::Args;
use super::super::error::{Fail, fail};
use super::super::scope::PathKind;
use super::{Test, test};

pub(super) const ALL: &[Test] = &[
    test("exists", "value", |args| {
        kind(args).map(|kind| kind.is_some_and(|kind| kind.exists))
    }),
    test("file", "value", |args| {
        kind(args).map(|kind| kind.is_some_and(|kind| kind.file))
    }),
    test("is_file", "value", |args| {
        kind(args).map(|kind| kind.is_some_and(|kind| kind.file))
    }),
    test("directory", "value", |args| {
        kind(args).map(|kind| kind.is_some_and(|kind| kind.folder))
    }),
    test("is_dir", "value", |args| {
        kind(args).map(|kind| kind.is_some_and(|kind| kind.folder))
    }),
    test("link", "value", |args| {
        kind(args).map(|kind| kind.is_some_and(|kind| kind.link))
    }),
    test("is_link", "value", |args| {
        kind(args).map(|kind| kind.is_some_and(|kind| kind.link))
    }),
    test("link_exists", "value", |args| {
        kind(args).map(|kind| kind.is_some())
    }),
    test("mount", "value", |args| {
        kind(args).map(|kind| kind.is_some_and(|kind| kind.mount))
    }),
    test("is_mount", "value", |args| {
        kind(args).map(|kind| kind.is_some_and(|kind| kind.mount))
    }),
    test("same_file", "value other", same),
    test("is_same_file", "value other", same),
    test("abs", "value", |args| Ok(args.text(0)?.starts_with('/'))),
    test("is_abs", "value", |args| Ok(args.text(0)?.starts_with('/'))),
];

fn kind(args: &Args<'_>) -> Result<Option<PathKind>, Fail> {
    match args.cx.scope.controller() {
        Some(controller) => Ok(controller.kind(&args.text(0)?)),
        None => fail("the controller's files are not available here"),
    }
}

fn same(args: &Args<'_>) -> Result<bool, Fail> {
    let Some(controller) = args.cx.scope.controller() else {
        return fail("the controller's files are not available here");
    };
    let real = |at| args.text(at).map(|path| controller.real_path(&path));
    let (one, other) = (real(0)?, real(1)?);
    Ok(one.is_some() && one == other)
}
