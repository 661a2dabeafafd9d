"""The pages, kept thin: each shows what the other rooms decide."""
