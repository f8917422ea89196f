"""The platform on Google Cloud as one Pulumi program; it knows the site only by image, environment and paths."""
