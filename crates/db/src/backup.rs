//! Backup and restore: one file that either database can be restored from.
