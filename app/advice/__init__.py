"""What to say: a smoothed verdict, its words in every language, and the bin that the local rules name."""
