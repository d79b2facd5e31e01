//! Measures the store alone: imports a folder of tarballs, from memory, largest first.
//!
//! `cargo run --release -p deka-store --example import -- <tarballs> <store> [threads]`; the folder
//! holds `*.tgz` and `integrity.txt` with a line `<file> <integrity>` for each. Run it again on the
//! same store to see what finding everything costs.
#![expect(clippy::print_stdout, reason = "it is a program")]

use std::error::Error;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use deka_manifest::Integrity;
use deka_store::{Importer, Store};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let tarballs = PathBuf::from(arguments.next().ok_or("which folder of tarballs?")?);
    let root = PathBuf::from(arguments.next().ok_or("which store?")?);
    let threads: usize = arguments.next().map_or(Ok(2), |threads| threads.parse())?;

    let mut bodies = Vec::new();
    for line in std::fs::read_to_string(tarballs.join("integrity.txt"))?.lines() {
        let (name, integrity) = line.split_once(' ').ok_or("a line without integrity")?;
        let body = std::fs::read(tarballs.join(name))?;
        bodies.push((name.to_owned(), Integrity::parse(integrity)?, body));
    }
    bodies.sort_by_key(|(_, _, body)| std::cmp::Reverse(body.len()));
    let bytes: usize = bodies.iter().map(|(_, _, body)| body.len()).sum();

    let start = Instant::now();
    let store = Store::open(&root)?;
    let opened = start.elapsed();
    let next = AtomicUsize::new(0);
    let (unknown, files) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let work = || -> Result<(), deka_store::StoreError> {
        let mut importer = Importer::new();
        while let Some((name, integrity, body)) = bodies.get(next.fetch_add(1, Ordering::Relaxed)) {
            let index = if let Some(index) = store.lookup(integrity)? {
                index
            } else {
                unknown.fetch_add(1, Ordering::Relaxed);
                store.import(body, Some(integrity), name, &mut importer)?
            };
            files.fetch_add(index.file_count(), Ordering::Relaxed);
        }
        Ok(())
    };
    std::thread::scope(|scope| -> Result<(), deka_store::StoreError> {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        work()?;
        others.into_iter().try_for_each(|other| other.join().unwrap_or(Ok(())))
    })?;
    println!(
        "{} packages, {} imported, {} files, {} MB, {threads} threads: opened in {:.2} ms, all in {:.1} ms",
        bodies.len(),
        unknown.into_inner(),
        files.into_inner(),
        bytes >> 20,
        opened.as_secs_f64() * 1e3,
        start.elapsed().as_secs_f64() * 1e3,
    );
    Ok(())
}
