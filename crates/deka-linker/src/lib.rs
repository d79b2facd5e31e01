//! From the graph and the store to node_modules: plans, executor, bins, state.
