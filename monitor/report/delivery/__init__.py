"""Published reports and drafts on their way to people: letters, the ways out, the role's loop, sign-off."""
