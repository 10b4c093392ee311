"""Services: watched, shown as rows, inspected, acted on."""
