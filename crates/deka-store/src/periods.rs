//! Which of the store's files may not be on the disk yet.
//!
//! Nothing is synced while packages are stored, so after a power cut the youngest files may be empty
//! under their right names (ext4 journals names at once and writes contents within half a minute).
//! To find them again, the folder `unsynced` holds empty files, *markers*, whose names say
//! everything: `<epoch>-<seconds since 1970>`. A marker begins a *period*; periods have no end. The
//! rule that all else follows from:
//!
//! > Whatever may not be on the disk yet was written behind the beginning of some period whose
//! > marker exists.
//!
//! - Before a process writes its first file it makes sure that there is a marker of its epoch. No
//!   sync is needed: whatever makes the name of a later file survive makes that of the marker survive.
//! - If the youngest marker is older than the kernel's horizon for writing back, the process adds one
//!   for now. A marker goes when the one that follows it is older than the horizon: all that was
//!   written before the follower began is on the disk, and the follower covers the rest.
//! - A marker whose store has been silent for the horizon goes as well, if no process uses the store.
//! - Markers of another epoch mean that the disk was cut off, or copied while in use, or only mounted
//!   anew: recovery checks everything since the earliest of them, then removes them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use deka_fs::{Creation, Dir, Epoch, FileMode, FsError};

/// How far clocks may have been set back while files were written.
pub(crate) const CLOCK_SLACK: Duration = Duration::from_mins(5);

/// One marker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Period {
    pub(crate) epoch: Epoch,
    /// Seconds since 1970.
    pub(crate) beginning: u64,
}

impl Period {
    fn parse(name: &str) -> Option<Self> {
        let (epoch, beginning) = name.rsplit_once('-')?;
        Some(Self { epoch: Epoch::parse(epoch)?, beginning: beginning.parse().ok()? })
    }

    pub(crate) fn file_name(&self) -> String {
        format!("{}-{}", self.epoch, self.beginning)
    }
}

/// The folder of markers.
#[derive(Debug)]
pub(crate) struct Periods {
    pub(crate) dir: Dir,
    pub(crate) epoch: Epoch,
}

impl Periods {
    /// Returns all periods, the earliest first. Other files in the folder are left alone.
    pub(crate) fn list(&self) -> Result<Vec<Period>, FsError> {
        let mut periods: Vec<Period> = self
            .dir
            .list()?
            .iter()
            .filter_map(|entry| Period::parse(entry.name.to_str()?))
            .collect();
        periods.sort_unstable_by_key(|period| period.beginning);
        Ok(periods)
    }

    /// Adds a marker; one that exists says the same.
    pub(crate) fn add(&self, beginning: u64) -> Result<(), FsError> {
        let period = Period { epoch: self.epoch.clone(), beginning };
        let name = period.file_name();
        let (Creation::Made | Creation::Existed) =
            self.dir.write_new(name.as_str(), b"", FileMode::Regular)?;
        Ok(())
    }

    pub(crate) fn remove(&self, period: &Period) -> Result<(), FsError> {
        self.dir.remove_file(period.file_name().as_str()).map(drop)
    }

    /// Makes sure that what is written from now on is covered, and lets go of what is on the disk.
    pub(crate) fn begin(&self, now: u64, horizon: Option<Duration>) -> Result<(), FsError> {
        let mut own = self.list()?;
        own.retain(|period| period.epoch == self.epoch);
        let plan =
            plan(&own.iter().map(|period| period.beginning).collect::<Vec<_>>(), now, horizon);
        if plan.adds {
            self.add(now)?;
        }
        own[..plan.removes].iter().try_for_each(|period| self.remove(period))
    }

    /// Notes that files were written until now.
    pub(crate) fn touch(&self) -> Result<(), FsError> {
        let own = self.list()?.into_iter().rev().find(|period| period.epoch == self.epoch);
        match own {
            Some(period) => self.dir.touch(period.file_name().as_str()),
            None => Ok(()),
        }
    }

    /// Whether the store has markers of this epoch only and was silent for the horizon.
    pub(crate) fn are_over(
        &self,
        periods: &[Period],
        now: u64,
        horizon: Option<Duration>,
    ) -> Result<bool, FsError> {
        let Some(horizon) = horizon else { return Ok(false) };
        let mut latest = None;
        for period in periods {
            if period.epoch != self.epoch {
                return Ok(false);
            }
            if let Some(metadata) = self.dir.metadata(period.file_name().as_str())? {
                latest = latest.max(Some(metadata.modified.max(0) / 1_000_000_000));
            }
        }
        let silence = latest.map(|latest| i128::from(now) - latest);
        Ok(silence.is_some_and(|silence| silence > i128::from(horizon.as_secs())))
    }
}

/// What [`Periods::begin`] has to do.
#[derive(Debug, PartialEq, Eq)]
struct Plan {
    /// Whether a period has to begin now.
    adds: bool,
    /// How many of the earliest periods are not needed any more.
    removes: usize,
}

fn plan(beginnings: &[u64], now: u64, horizon: Option<Duration>) -> Plan {
    let is_old = |beginning: u64| {
        horizon.is_some_and(|horizon| beginning.saturating_add(horizon.as_secs()) < now)
    };
    // A beginning in the future means that the clock was set back: files would be missed.
    let adds = beginnings.last().is_none_or(|last| is_old(*last) || *last > now);
    // The follower of the last one, if any, begins now and is not old.
    let followers = beginnings.get(1..).unwrap_or_default();
    let removes = followers.iter().take_while(|beginning| is_old(**beginning)).count();
    Plan { adds, removes }
}

/// Seconds since 1970.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HORIZON: Option<Duration> = Some(Duration::from_mins(10));

    fn check(beginnings: &[u64], now: u64, adds: bool, removes: usize) {
        assert_eq!(plan(beginnings, now, HORIZON), Plan { adds, removes }, "{beginnings:?} {now}");
    }

    #[test]
    fn periods_begin_and_go() {
        check(&[], 1000, true, 0);
        check(&[1000], 1000, false, 0);
        check(&[1000], 1600, false, 0);
        check(&[1000], 1601, true, 0);
        check(&[1000, 1601], 2201, false, 0);
        check(&[1000, 1601], 2202, true, 1);
        check(&[1000, 1601, 2202], 2802, false, 1);
        check(&[1000, 1601, 2202], 9999, true, 2);
    }

    #[test]
    fn a_clock_set_back_begins_a_period() {
        check(&[5000], 1000, true, 0);
        check(&[1000, 5000], 1100, true, 0);
    }

    #[test]
    fn without_a_horizon_nothing_goes() {
        assert_eq!(plan(&[1, 2, 3], 1 << 40, None), Plan { adds: false, removes: 0 });
    }

    /// The rule itself, tried with runs at random times that write for random durations.
    #[test]
    fn what_may_be_unsynced_is_always_covered() {
        let mut state = 7_u64;
        let mut random = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) % below
        };
        let mut beginnings: Vec<u64> = Vec::new();
        let mut now = 10_000;
        // (first write, last write) of runs.
        let mut runs: Vec<(u64, u64)> = Vec::new();
        for _ in 0..5000 {
            now += random(900);
            let plan = plan(&beginnings, now, HORIZON);
            if plan.adds {
                beginnings.push(now);
            }
            beginnings.drain(..plan.removes);
            runs.push((now, now + random(3000)));
            runs.retain(|(_, last)| last + 600 >= now);
            for (first, last) in &runs {
                // The earliest write of the run that may be unsynced.
                let unsynced = (*first).max(now.saturating_sub(600)).min(*last);
                assert!(beginnings[0] <= unsynced, "{beginnings:?} {first} {last} {now}");
            }
        }
        assert!(beginnings.len() < 10);
    }

    #[test]
    fn markers_are_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let dir = Dir::open(folder.path()).unwrap();
        let epoch = Epoch::parse("ab.1.2").unwrap();
        let periods = Periods { dir, epoch: epoch.clone() };
        periods.begin(100, HORIZON).unwrap();
        periods.begin(200, HORIZON).unwrap();
        std::fs::write(folder.path().join("other"), "").unwrap();
        std::fs::write(folder.path().join("cd.1.2-50"), "").unwrap();
        let other = Period { epoch: Epoch::parse("cd.1.2").unwrap(), beginning: 50 };
        let own = Period { epoch, beginning: 100 };
        assert_eq!(periods.list().unwrap(), [other.clone(), own.clone()]);
        assert!(!periods.are_over(&[other, own.clone()], now() + 9999, HORIZON).unwrap());
        assert!(!periods.are_over(std::slice::from_ref(&own), now(), HORIZON).unwrap());
        assert!(periods.are_over(&[own], now() + 9999, HORIZON).unwrap());
        assert!(!periods.are_over(&[], now() + 9999, HORIZON).unwrap());
    }
}
