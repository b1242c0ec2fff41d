"""The kitchen's pipeline: events of ghost kitchens to order items to six Gold tables."""
