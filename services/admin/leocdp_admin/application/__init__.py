"""What people and programs can do with the admin service: one class per area, used by the UI and by the JSON API alike.

Every method takes the :class:`~leocdp_admin.application.actor.Actor` who asks, checks what that actor may do, masks
contacts where the actor must not see them, writes the audit log, and raises only errors of
:mod:`leocdp_admin.application.errors`.
"""
