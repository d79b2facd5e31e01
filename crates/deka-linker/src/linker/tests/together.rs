//! Several projects at once, with one store.

use super::*;

#[test]
fn projects_that_meet_the_same_command_for_the_first_time() {
    const COMMANDS: usize = 300;
    const PROJECTS: usize = 4;
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let worlds: Vec<World> = (0..PROJECTS)
        .map(|at| World::at(&store, &folder.path().join(format!("project-{at}"))))
        .collect();
    // Each has an executable form to be made, and all come to it at the same time.
    let files: Vec<(String, String)> =
        (0..COMMANDS).map(|at| (format!("{at}.js"), format!("{SCRIPT}// {at}\n"))).collect();
    let files: Vec<(&str, &str)> =
        files.iter().map(|(path, contents)| (path.as_str(), contents.as_str())).collect();
    let integrity = worlds[0].import(package(&files));
    let commands: Vec<String> = (0..COMMANDS).map(|at| format!("c{at} {at}.js")).collect();
    let commands: Vec<&str> = commands.iter().map(String::as_str).collect();
    let plan = Packages::new(&["prod a a@1.0.0"])
        .npm("a@1.0.0", &[])
        .integrity(&integrity)
        .bins(&commands)
        .plan();

    let start = std::sync::Barrier::new(PROJECTS);
    std::thread::scope(|scope| {
        for world in &worlds {
            scope.spawn(|| {
                start.wait();
                assert_eq!(world.try_install(&plan, 1).unwrap().placed, 1);
            });
        }
    });
    for world in &worlds {
        assert_eq!(world.tree(), worlds[0].tree());
        assert_eq!(world.mode("a/7.js"), 0o755);
    }
    worlds[0].assert_store_is_sound();
}
