//! What was measured, as tables and as JSON.

use serde_json::{Map, Value, json};

use super::{measure::Sample, statistics::Summary};

/// All samples of one project.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) project: String,
    pub(crate) disk: String,
    pub(crate) registry: String,
    pub(crate) runs: usize,
    /// Names and versions.
    pub(crate) managers: Vec<(&'static str, String)>,
    pub(crate) rows: Vec<Row>,
}

/// One scenario.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) scenario: &'static str,
    /// One list for each manager; fewer than the others where it failed.
    pub(crate) samples: Vec<Vec<Sample>>,
}

/// What of a sample is looked at.
pub(crate) struct Measure {
    pub(crate) title: &'static str,
    key: &'static str,
    value: fn(&Sample) -> Option<f64>,
}

const MEGA: f64 = 1e6;

/// The tables, in order; the first is the one that counts most.
pub(crate) const MEASURES: &[Measure] = &[
    Measure {
        title: "wall time, ms",
        key: "wall_ms",
        value: |sample| Some(sample.wall.as_secs_f64() * 1000.0),
    },
    Measure {
        title: "processor time, ms",
        key: "processor_ms",
        value: |sample| Some(sample.processor.as_secs_f64() * 1000.0),
    },
    Measure {
        title: "peak memory, MB",
        key: "peak_memory_mb",
        value: |sample| Some(sample.peak_memory as f64 / MEGA),
    },
    Measure {
        title: "received, MB",
        key: "received_mb",
        value: |sample| sample.traffic.map(|traffic| traffic.bytes as f64 / MEGA),
    },
    Measure {
        title: "requests",
        key: "requests",
        value: |sample| sample.traffic.map(|traffic| traffic.requests as f64),
    },
];

impl Row {
    /// One summary for each manager that ran.
    pub(crate) fn summaries(&self, measure: &Measure) -> Vec<Option<Summary>> {
        let summary = |samples: &Vec<Sample>| Summary::of(samples.iter().filter_map(measure.value));
        self.samples.iter().map(summary).collect()
    }
}

/// The median of the first, divided by the lowest of the others.
pub(crate) fn ratio(summaries: &[Option<Summary>]) -> Option<f64> {
    let (first, others) = summaries.split_first()?;
    let best = others.iter().flatten().map(|other| other.median).min_by(f64::total_cmp)?;
    (best > 0.0).then(|| first.map(|first| first.median / best)).flatten()
}

impl Report {
    /// What all figures of this report have in common.
    pub(crate) fn title(&self) -> String {
        let Self { project, disk, registry, runs, .. } = self;
        format!("{project} on {disk}, {registry}, {runs} runs")
    }

    /// The head of the table of one measure.
    pub(crate) fn head(&self, measure: &Measure) -> String {
        let names: Vec<String> =
            self.managers.iter().map(|(name, version)| format!("{name} {version}")).collect();
        let ratio = if names.len() > 1 { " ratio |" } else { "" };
        let rule = "---|".repeat(names.len() + usize::from(names.len() > 1));
        format!("| {} | {} |{ratio}\n|---|{rule}", measure.title, names.join(" | "))
    }

    /// One row of the table of one measure.
    pub(crate) fn line(&self, row: &Row, measure: &Measure) -> String {
        let summaries = row.summaries(measure);
        let cells: Vec<String> = summaries
            .iter()
            .map(|summary| summary.map_or_else(|| "-".to_owned(), Summary::show))
            .collect();
        let ratio = match ratio(&summaries) {
            _ if self.managers.len() < 2 => String::new(),
            Some(ratio) => format!(" {ratio:.2} |"),
            None => " - |".to_owned(),
        };
        format!("| {} | {} |{ratio}", row.scenario, cells.join(" | "))
    }

    /// All of it, with every run.
    pub(crate) fn to_json(&self) -> Value {
        let rows: Vec<Value> = self.rows.iter().map(|row| self.row_to_json(row)).collect();
        json!({
            "project": self.project,
            "disk": self.disk,
            "registry": self.registry,
            "runs": self.runs,
            "cores": std::thread::available_parallelism().map_or(1, usize::from),
            "managers": self.managers.iter()
                .map(|(name, version)| json!({ "name": name, "version": version }))
                .collect::<Vec<_>>(),
            "scenarios": rows,
        })
    }

    fn row_to_json(&self, row: &Row) -> Value {
        let mut measures = Map::new();
        for measure in MEASURES {
            let mut managers = Map::new();
            for ((name, _), samples) in self.managers.iter().zip(&row.samples) {
                let values: Vec<f64> = samples.iter().filter_map(measure.value).collect();
                if let Some(Summary { median, lowest, highest }) =
                    Summary::of(values.iter().copied())
                {
                    managers.insert(
                        (*name).to_owned(),
                        json!({
                            "median": median, "lowest": lowest, "highest": highest, "runs": values,
                        }),
                    );
                }
            }
            measures.insert(measure.key.to_owned(), managers.into());
        }
        json!({ "scenario": row.scenario, "measures": measures })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::time::Duration;

    use super::*;

    /// Two managers, one of which failed in the second scenario.
    pub(crate) fn report() -> Report {
        let sample = |milliseconds| Sample {
            wall: Duration::from_millis(milliseconds),
            processor: Duration::from_millis(2 * milliseconds),
            peak_memory: 50_000_000,
            traffic: None,
        };
        Report {
            project: "next-app".to_owned(),
            disk: "tmpfs".to_owned(),
            registry: "plain".to_owned(),
            runs: 3,
            managers: vec![("deka", "0.1.0".to_owned()), ("bun", "1.4.5".to_owned())],
            rows: vec![
                Row {
                    scenario: "clean",
                    samples: vec![
                        vec![sample(800), sample(790), sample(900)],
                        vec![sample(1000), sample(1010), sample(990)],
                    ],
                },
                Row { scenario: "add", samples: vec![vec![], vec![sample(30)]] },
            ],
        }
    }

    #[test]
    fn tables_have_ratios_and_gaps() {
        let report = report();
        let [wall, _, _, received, _] = MEASURES else { panic!("five measures") };
        assert_eq!(
            report.head(wall),
            "| wall time, ms | deka 0.1.0 | bun 1.4.5 | ratio |\n|---|---|---|---|"
        );
        assert_eq!(
            report.line(&report.rows[0], wall),
            "| clean | 800 (790 to 900) | 1000 (990 to 1010) | 0.80 |"
        );
        assert_eq!(report.line(&report.rows[1], wall), "| add | - | 30 | - |");
        assert_eq!(report.line(&report.rows[0], received), "| clean | - | - | - |");
    }

    #[test]
    fn json_has_every_run() {
        let json = report().to_json();
        let wall = &json["scenarios"][0]["measures"]["wall_ms"]["deka"];
        assert_eq!(wall["median"], 800.0);
        assert_eq!(wall["runs"], json!([800.0, 790.0, 900.0]));
        assert_eq!(json["scenarios"][1]["measures"]["wall_ms"]["deka"], Value::Null);
    }
}
