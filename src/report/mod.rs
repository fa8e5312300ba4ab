//! The run as bytes, and the only printer.
