//! Real applications: installed by deka, hoisted, isolated and with shared packages, then built and started.
//!
//! Each is a folder beside this file (or in `examples/`) with its `bun.lock`. A copy is installed as
//! its users would do it, with scripts and a frozen lockfile, from the registry that npm is configured
//! with; then its own tools build it, its server starts, and the pages are looked at. Packages with native
//! or generated code have a `check.js` instead of a server.
//!
//! Three of them run always; `DEKA_TEST_APPLICATIONS=1` runs all. `DEKA_TEST_SKIP_PEERS=1` skips
//! them all, as they need the network.
//!
//! A lockfile is made by `deka install --lockfile-only` in the folder.

mod application;
mod server;

use application::{Application, Linker};

/// Three tests for each application, so that they run in parallel and by name.
macro_rules! applications {
    ($($name:ident),* $(,)?) => {
        const APPLICATIONS: &[&str] = &[$(stringify!($name)),*];
        mod hoisted {
            $(
                #[test]
                fn $name() {
                    crate::$name().check(crate::Linker::Hoisted);
                }
            )*
        }
        mod isolated {
            $(
                #[test]
                fn $name() {
                    crate::$name().check(crate::Linker::Isolated);
                }
            )*
        }
        mod shared {
            $(
                #[test]
                fn $name() {
                    crate::$name().check(crate::Linker::Shared);
                }
            )*
        }
    };
}

// The slowest first.
applications![
    better_sqlite3,
    next,
    angular,
    astro,
    webpack_4,
    nest,
    svelte_kit,
    prisma,
    express_jest,
    vite_vue,
    sharp,
    esbuild,
];

fn next() -> Application {
    Application {
        folder: "../../../../examples/next-app",
        refuses_to_share: Some("next"),
        runs_always: true,
        build: &[&["next", "build"], &["eslint"]],
        start: &["next", "start", "--hostname", "127.0.0.1", "--port", "{port}"],
        pages: &[("/", "Installed by deka"), ("/about", "Rendered with React")],
        ..Application::default()
    }
}

fn vite_vue() -> Application {
    Application {
        folder: "vite-vue",
        refuses_to_share: Some("vite"),
        runs_always: true,
        build: &[&["vite", "build"]],
        start: &["vite", "preview", "--host", "127.0.0.1", "--strictPort", "--port", "{port}"],
        pages: &[("/", "/app.js"), ("/app.js", "Clicked ")],
        ..Application::default()
    }
}

fn express_jest() -> Application {
    Application {
        folder: "express-jest",
        runs_always: true,
        build: &[&["jest", "--ci"]],
        start: &["node", "server.js"],
        pages: &[("/", "Hello from Express")],
        ..Application::default()
    }
}

fn svelte_kit() -> Application {
    Application {
        folder: "svelte-kit",
        refuses_to_share: Some("@sveltejs/kit"),
        build: &[&["vite", "build"]],
        start: &["node", "build"],
        pages: &[("/", "Rendered with SvelteKit")],
        ..Application::default()
    }
}

fn astro() -> Application {
    Application {
        folder: "astro",
        refuses_to_share: Some("astro"),
        build: &[&["astro", "build"]],
        start: &["astro", "preview", "--host", "127.0.0.1", "--port", "{port}"],
        pages: &[("/", "Rendered with Astro"), ("/about/", "React counts")],
        ..Application::default()
    }
}

fn nest() -> Application {
    Application {
        folder: "nest",
        refuses_to_share: Some("@nestjs/core"),
        build: &[&["nest", "build"]],
        start: &["node", "dist/main.js"],
        pages: &[("/", "Hello from Nest")],
        ..Application::default()
    }
}

fn webpack_4() -> Application {
    Application {
        folder: "webpack-4",
        // Its hashes are too old for the OpenSSL of today's Node.
        variables: &[("NODE_OPTIONS", "--openssl-legacy-provider")],
        build: &[&["webpack"]],
        start: &["webpack-dev-server", "--host", "127.0.0.1", "--port", "{port}"],
        pages: &[("/main.js", "Bundled by "), ("/main.css", "teal")],
        ..Application::default()
    }
}

fn angular() -> Application {
    Application {
        folder: "angular",
        refuses_to_share: Some("@angular/cli"),
        build: &[&["ng", "build"]],
        start: &["ng", "serve", "--host", "127.0.0.1", "--port", "{port}"],
        pages: &[("/", "app-root"), ("/main.js", "Compiled by ")],
        ..Application::default()
    }
}

/// Its script finds nothing to download in the sandbox, and compiles.
fn better_sqlite3() -> Application {
    Application {
        folder: "better-sqlite3",
        build: &[&["node", "check.js"]],
        ..Application::default()
    }
}

fn prisma() -> Application {
    Application {
        folder: "prisma",
        variables: &[
            ("CHECKPOINT_DISABLE", "1"),
            // What generates a client looks for this engine, but never starts it.
            ("PRISMA_SCHEMA_ENGINE_BINARY", "/bin/true"),
            // Nobody listens there, so nothing can be downloaded.
            ("PRISMA_ENGINES_MIRROR", "http://127.0.0.1:9"),
        ],
        build: &[&["prisma", "generate"], &["node", "check.js"]],
        ..Application::default()
    }
}

fn sharp() -> Application {
    Application { folder: "sharp", build: &[&["node", "check.js"]], ..Application::default() }
}

fn esbuild() -> Application {
    Application { folder: "esbuild", build: &[&["node", "check.js"]], ..Application::default() }
}

/// A download that needs a permission of its own.
#[test]
fn puppeteer() {
    let hint = "\"deka\": { \"sandbox\": { \"puppeteer\": { \"network\": true } } }";
    application::check_refused("puppeteer", hint);
}

#[test]
fn every_folder_has_its_test() {
    let mut names = APPLICATIONS.iter().map(|name| name.replace('_', "-")).collect::<Vec<_>>();
    // It stands in `examples/`.
    names.retain(|name| name != "next");
    names.push("puppeteer".to_owned());
    names.sort();
    assert_eq!(application::folders(), names);
}
