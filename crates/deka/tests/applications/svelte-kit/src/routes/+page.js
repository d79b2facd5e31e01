export const load = () => ({ framework: "SvelteKit" });
