"""What images weigh: units now, the size model of every option later."""
