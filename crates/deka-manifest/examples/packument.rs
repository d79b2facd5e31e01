//! Measures scanning packuments: `cargo run --release --example packument -- next.json …`.

use std::time::{Duration, Instant};

use deka_manifest::{PackageName, Packument, Range};

fn best<T>(mut run: impl FnMut() -> T) -> Duration {
    let times = (0..20).map(|_| {
        let start = Instant::now();
        std::hint::black_box(run());
        start.elapsed()
    });
    times.min().unwrap_or_default()
}

#[expect(clippy::print_stdout, reason = "this is what it is for")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let name = PackageName::parse("example")?;
    for path in std::env::args().skip(1) {
        let body = std::fs::read(&path)?;
        let scan = best(|| Packument::from_json(name, &body));
        let packument = Packument::from_json(name, &body)?;
        let record = packument.record().to_vec();
        let open = best(|| Packument::from_record(record.clone()));
        let copy = best(|| record.clone());
        let range = Range::parse("<0.0.1")?;
        let pick = best(|| {
            packument
                .versions()
                .rev()
                .filter(|index| range.satisfies_ref(packument.version_ref(*index)))
                .count()
        });
        let decode = packument.versions().last().map(|last| best(|| packument.manifest(last)));
        println!(
            "{path}: {} bytes, {} versions, {scan:?} ({:.0} MB/s), record {} bytes, opened in {:?}, \
             all versions asked in {pick:?}, one decoded in {decode:?}",
            body.len(),
            packument.len(),
            body.len() as f64 / scan.as_secs_f64() / 1e6,
            record.len(),
            open.saturating_sub(copy),
        );
    }
    Ok(())
}
