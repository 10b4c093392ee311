"""EC2, RDS and ElastiCache."""
