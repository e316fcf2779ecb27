"""What a refusal means, in a sentence: what is wrong and what to do. Its code stands behind it, for scripts.

Who refuses what is decided in the rooms; a code that has no sentence here is given as it is.
"""

from __future__ import annotations

from collections.abc import Mapping

SENTENCES: Mapping[str, str] = {
    "NoRoleHeldToday": "this person holds no such role today; an officer records role-held, or name another --role",
    "OnlyTheTrained": "this person's training is not on record or has lapsed; an officer records training-recorded",
    "DeclaredConflict": "this person has declared a conflict of interest about this child; somebody else must do it",
    "OnlyThoseWhoDecide": "this opens or closes a record: the front door, a manager or the allocated worker does it",
    "NobodyAllocatesThemselves": "nobody allocates a child to themselves; somebody else who decides must record it",
    "OnlyTheOwnService": "this person may record the involvement of their own service only",
    "OnlyWhoSetItOrDecides": "this protection is ended by the service that set it, or by those who decide",
    "OnlyWhoMayKnowWhere": "this would change a protection that does not name this person",
    "OnlyOfficersRegisterStaff": "roles and training are recorded by the hub's officers; act --as an officer",
    "NobodyRegistersThemselves": "no officer gives a role or training to themselves; the other officer must record it",
    "EndsBeforeItBegins": "it would end before it begins; look at `from`, `completed` and `until`",
    "RoleHeldAlready": "this person holds this role at this service at that time; end it first, or name another `from`",
    "RoleNotHeld": "this person holds no such role at this service then; see `hub staff show`",
    "NotYetCompleted": "this training is not completed yet; record it when it is",
    "NoConflictDeclared": "no conflict is declared that this would end; name the child as it was declared",
    "OnlyStewardsSettle": "identity and quarantine are settled by stewards; act --as a person who is one",
    "StewardsOnlySettle": "a steward settles identity and quarantine and records nothing else; act in another --role",
    "StewardIsNoReader": "this steward has read one of these children; another steward must settle it",
    "TwoValidNumbers": "they hold different valid numbers of one system, as two children do; ask the sources",
    "TwoPersonsNeeded": "both have a chronology of their own, and you said so already: another steward must say so too",
    "SaidNotTheSame": "somebody said that two of these are not the same; say `same` of exactly those two first",
    "JoinedByOtherWords": "nobody said `same` of these two ids; take back the words that join them, one by one",
    "SplitToANewChildFirst": "the other has a chronology of its own: split to a new child, then say `same` of the two",
    "PeoplesEntriesGoOneByOne": "people name the child themselves: name their entries one by one with --event",
    "NotThisChilds": "it is not this child's today; look at: hub identity show CHILD",
    "WhereaboutsProtected": "this child's whereabouts are protected; a steward whom the protection names looks at it",
    "NothingGoes": "name what goes: --subject SOURCE SUBJECT, or --event SOURCE ID",
    "SameChild": "it is that child's already; nothing was changed",
    "ReadersDoNotWrite": "this role reads and never adds to a child's record",
    "QuarantineIsSettledWithItsRecord": "use: hub quarantine release ID, or hub quarantine refuse ID",
    "NotARegisteredOfficer": "a name that was given --as is no registered officer's, or the key is not theirs",
    "TwoOfficersNeeded": "two officers must approve: give --as twice",
    "TheHubsOwnKey": "the hub itself signs with this key and would lock its own door; nothing was changed",
    "event": "no event of this name is known; the names are the folders of schemas/events",
    "child": "the hub knows no such child; give its id as the hub gives it, or leave it out where nobody is meant",
    "said_by": "the hub itself says who acts; said_by is an object with statement and basis, or is left out",
    "details": "details must be a JSON object",
    "key": "it is signed with a key that is not registered; hub keys add, or ask the sender to register it",
    "key-retired": "it is signed with a retired key, beyond its last sequence; the sender must seal it anew",
    "newer": "this event or version is not known here yet; upgrade the hub",
    "schema": "it does not fit its schema; the sender must correct it and send it again",
    "unknown-child": "the hub knows no such child; check the id",
    "other-partnership": "it is addressed to another partnership; refuse it, and tell the sender",
    "not-callers-source": "it was sent by another source than the one that signed it; ask the sender",
    "same-id-other-content": "its id was used before for other content; ask the sender which holds",
    "not-by-this-door": "this is recorded by people, or by the council's own system; the sender may not report it",
    "other-service": "it speaks for a service that another source is registered for; ask the sender",
    "no-subject": "it lacks the sender's pseudonym for the child; the sender must correct it",
}
FILLED_IN = ("version", "partnership", "origin")
OF_KIND: Mapping[str, str] = {
    "Misfit": "the entry does not fit: see the member and the rule",
    "NotApproved": "the officers' approval does not hold",
    "KeyRefused": "this key is not taken",
    "NoSuchKey": "look at: hub keys list",
    "NoSuchRecord": "look at: hub quarantine list",
    "StillWaits": "the same door still sets this record aside",
}


def explain(fault: Exception) -> str:
    """The sentence for an expected end and its code in brackets; the code alone where no sentence is known."""
    kind, code = type(fault).__name__, str(fault)
    sentence = SENTENCES.get(code, OF_KIND.get(kind, ""))
    if kind == "Misfit" and code in FILLED_IN:
        sentence = f"the hub fills in {code}; leave it out"
    if kind.startswith("NoSuch"):
        return f"{code}; {sentence} [{kind}]"
    return f"{sentence} [{kind}: {code}]" if sentence else f"{kind}: {code}"


def explain_waiting(reason: str) -> str:
    """Why a record waits in quarantine, and its code in brackets."""
    sentence = SENTENCES.get(reason, "")
    return f"{sentence} [{reason}]" if sentence else reason
