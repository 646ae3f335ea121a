"""What people type and click: one file a feature, and `ui/` for what they see."""
