//! Running a child program within limits: a clean environment, a time limit, an output limit, killed with its parent's run.
