//! From JSON to a [`PackageJson`].

use jsonc_parser::ast::{Array, Object, Value};
use jsonc_parser::common::Ranged as _;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

use super::{
    DependencyGroup, ManifestError, PackageExtension, PackageJson, Place, Problem, ProblemKind,
    overrides,
};
use crate::{Alias, Bin, Bundled, CpuSet, LibcSet, OsSet, Symbol};

/// What Bun lets pass in a `package.json`.
pub(super) const OPTIONS: ParseOptions = ParseOptions {
    allow_comments: true,
    allow_trailing_commas: true,
    allow_single_quoted_strings: true,
    allow_loose_object_property_names: false,
    allow_missing_commas: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

/// Collects the problems of one text.
pub(super) struct Reader<'a> {
    text: &'a str,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    pub(super) fn problem(&mut self, value: &Value<'_>, kind: ProblemKind) {
        self.problem_at(value.start(), kind);
    }

    fn problem_at(&mut self, offset: usize, kind: ProblemKind) {
        self.problems.push(Problem { kind, place: Place::at(self.text, offset) });
    }
}

/// Decodes UTF-8 and drops a byte order mark.
pub(super) fn decode(bytes: &[u8]) -> Result<&str, ManifestError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|error| {
        let lossy = String::from_utf8_lossy(bytes);
        ManifestError::Encoding { place: Place::at(&lossy, error.valid_up_to()) }
    })
}

/// Turns an error of the parser into one with its place.
pub(super) fn syntax_error(text: &str, error: &jsonc_parser::errors::ParseError) -> ManifestError {
    let mut message = error.kind().to_string();
    if let Some(first) = message.get_mut(..1) {
        first.make_ascii_lowercase();
    }
    ManifestError::Syntax { message, place: Place::at(text, error.range().start) }
}

pub(super) fn read(bytes: &[u8]) -> Result<PackageJson, ManifestError> {
    let text = decode(bytes)?;
    let parsed = parse_to_ast(text, &CollectOptions::default(), &OPTIONS)
        .map_err(|error| syntax_error(text, &error))?;
    let mut reader = Reader { text, problems: Vec::new() };
    let mut manifest = match parsed.value {
        None => PackageJson::default(),
        Some(Value::Object(object)) => read_manifest(&mut reader, &object),
        Some(other) => {
            reader.problem(&other, ProblemKind::NotAnObject);
            PackageJson::default()
        }
    };
    manifest.problems = reader.problems;
    Ok(manifest)
}

fn read_manifest(reader: &mut Reader<'_>, object: &Object<'_>) -> PackageJson {
    let mut manifest = PackageJson::default();
    let (mut directory, mut bundle, mut bundled, mut peer_meta) = (None, None, None, None);
    let (mut workspaces, mut override_map, mut resolutions) = (None, None, None);
    let (mut catalog, mut catalogs) = (None, None);
    for (key, value) in entries(reader, object) {
        match key {
            "name" => manifest.name = symbol(value),
            "version" => manifest.version = symbol(value),
            "dependencies" => manifest.dependencies = group(reader, "dependencies", value),
            "devDependencies" => {
                manifest.dev_dependencies = group(reader, "devDependencies", value);
            }
            "optionalDependencies" => {
                manifest.optional_dependencies = group(reader, "optionalDependencies", value);
            }
            "peerDependencies" => {
                manifest.peer_dependencies = group(reader, "peerDependencies", value);
            }
            "peerDependenciesMeta" => peer_meta = Some(value),
            "bundleDependencies" => bundle = Some(value),
            "bundledDependencies" => bundled = Some(value),
            "bin" => manifest.bin = bin(value),
            "directories" => directory = Some(value),
            "engines" => manifest.engines = strings(value),
            "os" => manifest.platforms.os = OsSet::from_entries(list(value)),
            "cpu" => manifest.platforms.cpu = CpuSet::from_entries(list(value)),
            "libc" => manifest.platforms.libc = LibcSet::of_package(list(value)),
            "scripts" => manifest.scripts = strings(value),
            "workspaces" => workspaces = Some(value),
            "overrides" => override_map = Some(value),
            "resolutions" => resolutions = Some(value),
            "catalog" => catalog = Some(value),
            "catalogs" => catalogs = Some(value),
            "trustedDependencies" => {
                manifest.trusted_dependencies = names(reader, "trustedDependencies", value)
                    .map(|names| names.into_iter().map(Symbol::new).collect());
            }
            "patchedDependencies" => {
                manifest.patched_dependencies = strings(value)
                    .iter()
                    .map(|(package, patch)| (Symbol::new(package), Symbol::new(patch)))
                    .collect();
            }
            "packageExtensions" => manifest.package_extensions = extensions(reader, value),
            _ => {}
        }
    }
    manifest.name = manifest.name.filter(|name| !name.is_empty());
    manifest.optional_peers = optional_peers(peer_meta, &mut manifest.peer_dependencies);
    manifest.bundled = bundle.or(bundled).map_or(Bundled::None, bundled_names);
    if let (Bin::None, Some(Value::Object(directories))) = (&manifest.bin, directory)
        && let Some(folder) = get(directories, "bin").and_then(text).filter(|text| !text.is_empty())
    {
        manifest.bin = Bin::Directory(folder.into());
    }

    // Catalogs are only read where there are workspaces, and first from within `workspaces`.
    if let Some(value) = workspaces {
        if let Value::Object(object) = value {
            catalog = get(object, "catalog").or(catalog);
            catalogs = get(object, "catalogs").or(catalogs);
        }
        manifest.workspaces = patterns(reader, value);
        if let Some(catalog) = catalog {
            manifest.catalog = group(reader, "catalog", catalog);
        }
        if let Some(Value::Object(catalogs)) = catalogs {
            manifest.catalogs = entries(reader, catalogs)
                .into_iter()
                .map(|(name, value)| (Symbol::new(name), group(reader, "catalogs", value)))
                .collect();
        }
    }

    let groups = [
        &manifest.dependencies,
        &manifest.dev_dependencies,
        &manifest.optional_dependencies,
        &manifest.peer_dependencies,
    ];
    let resolve = |name: &str| {
        let mut all = groups.into_iter().flatten();
        all.find(|(alias, _)| alias.as_str() == name).map(|(_, spec)| *spec)
    };
    manifest.overrides = match (override_map, resolutions) {
        (Some(value), _) => overrides::read(reader, "overrides", value, &resolve),
        (None, Some(value)) => overrides::read(reader, "resolutions", value, &resolve),
        (None, None) => Vec::new(),
    };
    manifest
}

/// Returns the entries of an object; of equal keys the last value, at the place of the first.
pub(super) fn entries<'v, 'a>(
    reader: &mut Reader<'_>,
    object: &'v Object<'a>,
) -> Vec<(&'v str, &'v Value<'a>)> {
    let mut entries: Vec<(&str, &Value<'a>)> = Vec::with_capacity(object.properties.len());
    for property in &object.properties {
        let key = property.name.as_str();
        match entries.iter_mut().find(|(known, _)| *known == key) {
            Some((_, value)) => {
                *value = &property.value;
                reader.problem_at(property.range.start, ProblemKind::DuplicateKey(key.into()));
            }
            None => entries.push((key, &property.value)),
        }
    }
    entries
}

fn get<'v, 'a>(object: &'v Object<'a>, key: &str) -> Option<&'v Value<'a>> {
    let found = object.properties.iter().rev().find(|property| property.name.as_str() == key);
    found.map(|property| &property.value)
}

pub(super) fn text<'v>(value: &'v Value<'_>) -> Option<&'v str> {
    match value {
        Value::StringLit(literal) => Some(&literal.value),
        _ => None,
    }
}

fn symbol(value: &Value<'_>) -> Option<Symbol> {
    text(value).map(Symbol::new)
}

fn is_true(value: &Value<'_>) -> bool {
    matches!(value, Value::BooleanLit(literal) if literal.value)
}

/// Reads a group of dependencies.
fn group(reader: &mut Reader<'_>, field: &'static str, value: &Value<'_>) -> DependencyGroup {
    let Value::Object(object) = value else {
        reader.problem(value, ProblemKind::NotAMap(field));
        return Vec::new();
    };
    let mut group = Vec::with_capacity(object.properties.len());
    for (name, value) in entries(reader, object) {
        match (Alias::parse(name), text(value)) {
            (Ok(alias), Some(spec)) => group.push((alias, Symbol::new(spec))),
            (Err(error), _) => reader.problem(value, ProblemKind::Name(error)),
            (Ok(_), None) => reader.problem(value, ProblemKind::NotAMap(field)),
        }
    }
    group
}

/// Reads `peerDependenciesMeta` and adds the peers that only it has.
fn optional_peers(meta: Option<&Value<'_>>, peers: &mut DependencyGroup) -> Vec<Alias> {
    let Some(Value::Object(meta)) = meta else { return Vec::new() };
    let mut optional = Vec::new();
    for property in &meta.properties {
        let Value::Object(facts) = &property.value else { continue };
        if !get(facts, "optional").is_some_and(is_true) {
            continue;
        }
        let Ok(alias) = Alias::parse(property.name.as_str()) else { continue };
        if !optional.contains(&alias) {
            optional.push(alias);
        }
        if peers.iter().all(|(known, _)| *known != alias) {
            peers.push((alias, Symbol::new("*")));
        }
    }
    optional
}

fn bundled_names(value: &Value<'_>) -> Bundled {
    match value {
        Value::BooleanLit(literal) if literal.value => Bundled::All,
        Value::Array(array) if !array.elements.is_empty() => {
            Bundled::Names(array.elements.iter().filter_map(symbol).collect())
        }
        _ => Bundled::None,
    }
}

fn bin(value: &Value<'_>) -> Bin {
    match value {
        Value::StringLit(file) if !file.value.is_empty() => Bin::File(file.value.as_ref().into()),
        Value::Object(_) => match strings(value) {
            commands if commands.is_empty() => Bin::None,
            commands => Bin::Map(commands.into_boxed_slice()),
        },
        _ => Bin::None,
    }
}

/// Reads the entries of an object whose values are strings; others are left out.
fn strings(value: &Value<'_>) -> Vec<(Box<str>, Box<str>)> {
    let mut strings: Vec<(Box<str>, Box<str>)> = Vec::new();
    let Value::Object(object) = value else { return strings };
    for property in &object.properties {
        let (key, Some(text)) = (property.name.as_str(), text(&property.value)) else { continue };
        match strings.iter_mut().find(|(known, _)| **known == *key) {
            Some((_, known)) => *known = text.into(),
            None => strings.push((key.into(), text.into())),
        }
    }
    strings
}

/// Reads a string or the strings of an array.
fn list<'v>(value: &'v Value<'_>) -> Vec<&'v str> {
    match value {
        Value::StringLit(literal) => vec![&literal.value],
        Value::Array(array) => array.elements.iter().filter_map(text).collect(),
        _ => Vec::new(),
    }
}

/// Reads an array of strings and nothing else.
fn names<'v>(
    reader: &mut Reader<'_>,
    field: &'static str,
    value: &'v Value<'_>,
) -> Option<Vec<&'v str>> {
    let Value::Array(Array { elements, .. }) = value else {
        reader.problem(value, ProblemKind::NotAList(field));
        return None;
    };
    for element in elements.iter().filter(|element| text(element).is_none()) {
        reader.problem(element, ProblemKind::NotAList(field));
    }
    Some(elements.iter().filter_map(text).collect())
}

/// Reads `workspaces`: patterns, or an object that has them as `packages`.
fn patterns(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<Vec<Box<str>>> {
    let patterns = match value {
        Value::Object(object) => match get(object, "packages") {
            Some(packages) => packages,
            None => return Some(Vec::new()),
        },
        value => value,
    };
    let patterns = names(reader, "workspaces", patterns)?;
    Some(patterns.into_iter().map(Box::from).collect())
}

fn extensions(reader: &mut Reader<'_>, value: &Value<'_>) -> Vec<PackageExtension> {
    let Value::Object(object) = value else {
        reader.problem(value, ProblemKind::NotAMap("packageExtensions"));
        return Vec::new();
    };
    let mut extensions = Vec::new();
    for (package, value) in entries(reader, object) {
        let Value::Object(object) = value else { continue };
        let mut extension = PackageExtension {
            package: Symbol::new(package),
            dependencies: Vec::new(),
            optional_dependencies: Vec::new(),
            peer_dependencies: Vec::new(),
            optional_peers: Vec::new(),
        };
        for (key, value) in entries(reader, object) {
            let field = "packageExtensions";
            match key {
                "dependencies" => extension.dependencies = group(reader, field, value),
                "optionalDependencies" => {
                    extension.optional_dependencies = group(reader, field, value);
                }
                "peerDependencies" => extension.peer_dependencies = group(reader, field, value),
                _ => {}
            }
        }
        extension.optional_peers =
            optional_peers(get(object, "peerDependenciesMeta"), &mut extension.peer_dependencies);
        extensions.push(extension);
    }
    extensions
}
