"""What is in a draft: answers, checked and filled in; a certificate made of them.

    answers    JSON that somebody sends: is it of the type's form? then numbered, displayed
    prefill    answers that an EHR sends along, and what becomes of each
    contents   a draft as a whole certificate, in JSON and in XML, and what is wrong with it
    carried    what a new draft takes over from an older certificate

Nothing here is stored or told to anybody: that is `flows/drafts`.
"""
