"""What the monitor costs and how exact it is, each figure beside a baseline of the same minute."""
