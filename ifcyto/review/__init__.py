"""The reviewer's work without a window: objects, order and filters, tags, pages, agreement of readers."""
