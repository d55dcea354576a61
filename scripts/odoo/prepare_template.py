"""What every test database is born with, beside the modules: run by `odoo shell` on the template.

`env` is the shell's; `KEY_FILE` is set by provision.sh. Works on 19 and 14.
"""

import odoo

VERSION = odoo.release.version_info[0]

# An API key of admin (user 2), the same in every copy of the template.
key_arguments = ("rpc", "lab", None) if VERSION >= 17 else ("rpc", "lab")
key = env["res.users.apikeys"].with_user(2)._generate(*key_arguments)  # noqa: F821

# A user who may read but not create or write partners and products. The groups are named because
# the default ones of a new user include the contact manager's.
groups = "group_ids" if VERSION >= 19 else "groups_id"
env["res.users"].with_context(no_reset_password=True).create(  # noqa: F821
    {
        "name": "Limited",
        "login": "limited",
        "password": "limited",
        groups: [(6, 0, [env.ref("base.group_user").id])],  # noqa: F821
    }
)
env.cr.commit()  # noqa: F821

with open(KEY_FILE, "w") as file:  # noqa: F821
    file.write(key)
