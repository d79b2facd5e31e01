//! What the manifest cache knows of a package, in the shape in which a registry says it. That is what
//! installing needs: no description, licence, readme or people.

use deka_manifest::{Alias, Bin, Packument, Symbol, VersionIndex};
use serde_json::{Map, Value, json};

/// Returns the document of a package; versions that can't be decoded have no fields.
pub(super) fn document(packument: &Packument) -> Map<String, Value> {
    let versions: Map<String, Value> = packument
        .versions()
        .map(|index| (packument.version(index).to_string(), version(packument, index).into()))
        .collect();
    let tags: Map<String, Value> = packument
        .dist_tags()
        .map(|(tag, index)| (tag.to_owned(), packument.version(index).to_string().into()))
        .collect();
    Map::from_iter([
        ("name".to_owned(), packument.name().as_str().into()),
        ("dist-tags".to_owned(), tags.into()),
        ("versions".to_owned(), versions.into()),
    ])
}

fn version(packument: &Packument, index: VersionIndex) -> Map<String, Value> {
    let Ok(manifest) = packument.manifest(index) else { return Map::new() };
    let mut fields = Map::new();
    fields.insert("name".to_owned(), manifest.name.as_str().into());
    fields.insert("version".to_owned(), manifest.version.to_string().into());
    let deprecated = manifest.deprecated.map(|reason| Value::from(&*reason));
    fields.extend(deprecated.map(|reason| ("deprecated".to_owned(), reason)));
    for (field, group) in [
        ("dependencies", &manifest.dependencies),
        ("optionalDependencies", &manifest.optional_dependencies),
        ("peerDependencies", &manifest.peer_dependencies),
    ] {
        if !group.is_empty() {
            fields.insert(field.to_owned(), ranges(group).into());
        }
    }
    let bin = match &manifest.bin {
        Bin::File(file) => Some(Value::from(&**file)),
        Bin::Map(files) => Some(
            files.iter().map(|(name, file)| (name.to_string(), Value::from(&**file))).collect(),
        ),
        Bin::None | Bin::Directory(_) => None,
    };
    fields.extend(bin.map(|bin| ("bin".to_owned(), bin)));
    let mut dist = Map::new();
    for (field, text) in [("tarball", manifest.tarball), ("integrity", manifest.integrity)] {
        if !text.as_str().is_empty() {
            dist.insert(field.to_owned(), text.as_str().into());
        }
    }
    dist.extend(manifest.unpacked_size.map(|size| ("unpackedSize".to_owned(), json!(size))));
    dist.extend(manifest.file_count.map(|count| ("fileCount".to_owned(), json!(count))));
    fields.insert("dist".to_owned(), dist.into());
    fields
}

fn ranges(group: &[(Alias, Symbol)]) -> Map<String, Value> {
    group.iter().map(|(alias, range)| (alias.to_string(), range.as_str().into())).collect()
}
