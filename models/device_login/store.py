"""The credential store: a file, a keyring, or the keyring with the file as fallback."""

from __future__ import annotations

from sim import DEFER, IGNORE, Process

from .messages import (
    Claim,
    Claimed,
    Credentials,
    Delete,
    Deleted,
    KeyringError,
    Load,
    Loaded,
    Release,
    Removed,
    Reopened,
    Save,
    Saved,
    Stored,
    StoreFailed,
)
from .options import AuthCredentialsStoreMode, Profile

HALF = Credentials("half")
"""A file that was truncated and not yet written."""


class CredentialStore(Process):
    """Keeps credentials in one place, or in two of which the newer counts. Saving replaces a place as a
    whole: a crash leaves the old or the new.

    It stands for the storing code of its callers and for the operating system's lock, so a crash is that of a write:
    whoever waits for an answer is told to ask again. Every request may be repeated.
    """

    states = ("open",)
    durable = ("file", "keyring", "holder")
    transitions = (
        {"trigger": Load, "source": "open", "dest": None, "after": "answer_load"},
        {"trigger": Save, "source": "open", "dest": None, "unless": "is_newer", "after": "confirm"},
        {"trigger": Save, "source": "open", "dest": None, "conditions": "has_keyring", "after": "save_to_keyring"},
        {"trigger": Save, "source": "open", "dest": None, "after": "save_to_file"},
        {"trigger": Delete, "source": "open", "dest": None, "after": "delete"},
        # One client at a time may refresh; the others' claims wait.
        {"trigger": Claim, "source": "open", "dest": None, "conditions": "is_free", "after": "grant_claim"},
        {"trigger": Claim, "source": "open", "dest": DEFER},
        {"trigger": Release, "source": "open", "dest": None, "conditions": "is_holder", "after": "free"},
        {"trigger": Release, "source": "open", "dest": IGNORE},
        # The keyring fails: Auto falls back on the file, if that has anything.
        {
            "trigger": KeyringError,
            "source": "open",
            "dest": None,
            "conditions": ["strikes_save", "may_fall_back"],
            "after": "fall_back_saving",
        },
        {
            "trigger": KeyringError,
            "source": "open",
            "dest": None,
            "conditions": ["strikes_load", "may_fall_back", "has_file"],
            "after": "fall_back_loading",
        },
        {"trigger": KeyringError, "source": "open", "dest": None, "conditions": "strikes", "after": "fail"},
    )

    mode: AuthCredentialsStoreMode
    profile: Profile
    clients: tuple[str, ...]
    file: Credentials | None = None
    keyring: Credentials | None = None
    holder: str = ""

    def on_restart(self) -> None:
        """A crash between writing the keyring and deleting the file left both: the older one goes."""
        if self.file and self.keyring and self.file.generation <= self.keyring.generation:
            self.file = None
        for client in self.clients:
            self.send(client, Reopened())

    # --- loading ------------------------------------------------------------------------------------

    def has_keyring(self) -> bool:
        return self.mode is not AuthCredentialsStoreMode.FILE

    def newest(self) -> Credentials | None:
        """What is stored. After a fallback the keyring still has an older entry, which is ignored."""
        if self.profile.keyring_shadows_file and self.keyring:
            return self.keyring
        return max((c for c in (self.file, self.keyring) if c), key=lambda c: c.generation, default=None)

    def answer_load(self, load: Load) -> None:
        self.send(self.sender, Loaded(self.newest(), load.life))

    # --- saving -------------------------------------------------------------------------------------

    def is_newer(self, save: Save) -> bool:
        """A repeated request is confirmed and changes nothing."""
        known = self.newest()
        return known is None or known.kind != "chatgpt" or save.credentials.generation > known.generation

    def save_to_file(self, save: Save) -> None:
        if self.profile.save_in_place:
            self.file = HALF
        self.emit(Stored(save.credentials), file=save.credentials)
        self.confirm(save)

    def save_to_keyring(self, save: Save) -> None:
        """The file is deleted last: two copies in between are better than none."""
        self.emit(Stored(save.credentials), keyring=save.credentials)
        self.file = None
        self.confirm(save)

    def confirm(self, save: Save) -> None:
        self.send(self.sender, Saved(save.life))

    def delete(self, delete: Delete) -> None:
        known = self.newest()
        self.keyring = None
        if known is not None:
            self.emit(Removed(known), file=None)
        self.send(self.sender, Deleted(delete.life))

    # --- the right to refresh -----------------------------------------------------------------------

    def is_holder(self) -> bool:
        return self.holder == self.sender

    def is_free(self) -> bool:
        return self.holder in ("", self.sender)

    def grant_claim(self, claim: Claim) -> None:
        self.holder = self.sender
        self.send(self.sender, Claimed(self.newest(), claim.life))

    def free(self) -> None:
        self.holder = ""

    # --- the keyring fails --------------------------------------------------------------------------

    def strikes(self, fault: KeyringError) -> bool:
        """Whether the keyring is needed now."""
        if isinstance(fault.message, Claim) and not self.is_free():
            return False
        return self.has_keyring() and not (isinstance(fault.message, Save) and not self.is_newer(fault.message))

    def strikes_save(self, fault: KeyringError) -> bool:
        return self.strikes(fault) and isinstance(fault.message, Save)

    def strikes_load(self, fault: KeyringError) -> bool:
        return isinstance(fault.message, Load)

    def may_fall_back(self) -> bool:
        return self.mode is AuthCredentialsStoreMode.AUTO

    def has_file(self) -> bool:
        return self.file is not None

    def fall_back_saving(self, fault: KeyringError) -> None:
        if isinstance(fault.message, Save):
            self.save_to_file(fault.message)

    def fall_back_loading(self, fault: KeyringError) -> None:
        if isinstance(fault.message, Load):
            self.send(self.sender, Loaded(self.file, fault.message.life))

    def fail(self, fault: KeyringError) -> None:
        """An unreadable keyring is not an empty one: it must not report that nothing is stored."""
        if isinstance(fault.message, Load | Save | Delete | Claim):
            self.send(self.sender, StoreFailed(fault.message.life))
