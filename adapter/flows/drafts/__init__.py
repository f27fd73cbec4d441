"""Drafts (`utkast`): from the order to the signed certificate.

    about      what every act about a draft has asked first: its type, its patient, who acts
    create     a new draft; `contracts/create_draft_certificate` and REST both come here
    unique     may there be one more of this type for this patient?
    save       the content, ready for signing, another patient number, the EHR's reference
    end        deleted, locked, a locked one revoked, disposed of
    copies     a new draft from an older certificate or locked draft
    signing    given out to be signed, brought back, registered by the ordinary flow
    on_time    what happens by itself: changes told, locks, disposal
    tell       the unit's EHR is told

Each act asks the network first, then gives one function of rows to a `UnitOfWork`, as contracts do.
"""
