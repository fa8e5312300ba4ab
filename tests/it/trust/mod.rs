//! What a run shows, reads and believes: nothing secret is shown, no stranger's manifest has a file of the machine read, a
//! damaged cache changes no render, and what one team writes stops no other.

mod damage;
mod neighbours;
mod privacy;
mod secrets;
mod strangers;
