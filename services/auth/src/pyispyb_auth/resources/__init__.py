"""HTTP: route, who may call, what comes in and goes out."""
