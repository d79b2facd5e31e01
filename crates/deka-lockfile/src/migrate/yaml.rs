//! YAML as pnpm and yarn write it, read into the values that JSON has.
//!
//! Scalars stay texts, whatever they look like. Anchors and tags are not followed: no package manager
//! writes them, and a few lines of them stand for more than fits into memory.

use saphyr_parser::{Event, Parser};
use serde_json::{Map, Value};

use crate::LockfileError;

/// How deep values may be nested.
const DEPTH_LIMIT: usize = 64;

/// A list or an object that is not complete.
enum Open {
    List(Vec<Value>),
    Object(Map<String, Value>, Option<String>),
}

/// Reads the first document.
pub(crate) fn yaml(text: &str) -> Result<Value, LockfileError> {
    let malformed = |message: String| LockfileError::Malformed { message };
    let mut open: Vec<Open> = Vec::new();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| malformed(error.to_string()))?;
        let refused = |what: &str| malformed(format!("{what} at line {}", span.start.line()));
        let complete = match event {
            Event::Scalar(text, ..) => Value::String(text.into_owned()),
            Event::SequenceStart(..) | Event::MappingStart(..) if open.len() >= DEPTH_LIMIT => {
                return Err(refused("values are nested too deep"));
            }
            Event::SequenceStart(..) => {
                open.push(Open::List(Vec::new()));
                continue;
            }
            Event::MappingStart(..) => {
                open.push(Open::Object(Map::new(), None));
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => match open.pop() {
                Some(Open::List(list)) => Value::Array(list),
                Some(Open::Object(object, _)) => Value::Object(object),
                None => return Err(refused("nothing to end")),
            },
            Event::Alias(_) => return Err(refused("aliases are not read")),
            Event::DocumentEnd => break,
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) => {
                continue;
            }
        };
        match open.last_mut() {
            None => return Ok(complete),
            Some(Open::List(list)) => list.push(complete),
            Some(Open::Object(object, key)) => match (key.take(), complete) {
                (Some(key), value) => {
                    object.insert(key, value);
                }
                (None, Value::String(text)) => *key = Some(text),
                (None, _) => return Err(refused("a key that is no text")),
            },
        }
    }
    Ok(Value::Null)
}
