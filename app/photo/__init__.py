"""A photo file on its way to an answer: unpacked in a process of its own, classified, tabulated."""
