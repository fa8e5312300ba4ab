//! Roles, and the colour that each one has: the only place that knows colours.

use owo_colors::Style;

/// The role of a piece of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::report) enum Role {
    /// Words in between.
    Plain,
    /// The search order: an application's name, an object's name.
    Name,
    /// Text that is read last: places, ages, context.
    Hint,
    /// In sync.
    Good,
    /// Out of sync.
    Drift,
    /// Unknown, or an error.
    Bad,
    /// A warning.
    Warning,
    /// A line that only git has.
    Git,
    /// The part of it that differs.
    GitPart,
    /// A line that only the cluster has.
    Cluster,
    /// The part of it that differs.
    ClusterPart,
    /// A field's path.
    Path,
    /// Who did it.
    Manager,
}

impl Role {
    /// The colour of a role.
    pub(in crate::report) fn style(self) -> Style {
        let style = Style::new();
        match self {
            Self::Plain => style,
            Self::Name => style.bold(),
            // Not bright black, which some palettes make the background's colour.
            Self::Hint => style.dimmed(),
            Self::Good | Self::Git => style.green(),
            Self::Drift | Self::Warning => style.yellow(),
            Self::Bad | Self::Cluster => style.red(),
            Self::GitPart => style.green().bold().reversed(),
            Self::ClusterPart => style.red().bold().reversed(),
            Self::Path => style.cyan(),
            Self::Manager => style.magenta(),
        }
    }
}
