"""The frozen records that go from stage to stage. They know nothing of any library, and hold no rule of their own."""
