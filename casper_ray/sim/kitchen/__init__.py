"""The ghost kitchens' world. `world.KitchenWorld` is its face; the other files are its parts.

spec        streams, menu, places, incidents      what the world is made from
city        streets, addresses, routes             where customers live and how they are reached
a day       demand, basket, service, orders        what one location does on one day
output      text, ids, events, truth, dimensions   how it is told
"""
