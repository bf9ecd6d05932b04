"""What is planned around a visit, and what happens when it is due.

`appointments.save` takes a visit in, `planner.replan` writes its plan, `sending.dispatch.send` texts what is due.
"""
