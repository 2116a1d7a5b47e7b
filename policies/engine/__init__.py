"""What runs the rules, whoever asks: settings, judge, server."""
