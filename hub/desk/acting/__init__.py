"""What an agent does at a mall: what can be done, the answer that is written, and the way to the mall and back."""
