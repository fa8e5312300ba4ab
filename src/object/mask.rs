//! Hides what a Secret holds, and still shows whether two values are equal: same value, same mask.
//!
//! Rule: Argo CD gitops-engine/pkg/diff `HideSecretData` (reference 6.2 k).
