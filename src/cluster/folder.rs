//! A cluster that is a folder: `kubectl get -o yaml` dumps, Lists, any file layout.
