"""Cloud Run, Cloud SQL, Memorystore and Pub/Sub."""
