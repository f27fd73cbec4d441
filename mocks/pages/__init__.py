"""
The mocks' pages, under `/mock`: what came, why it was answered so, and buttons that make it happen.

    address    where they are
    gate       what stands before the site, and makes it when it is first asked
    site       the pages together, and who may open them
    visit      which mock a page is about, and how it is asked and told
    recorder   what was clicked; `as_test` says the same in sentences of pytest

Whatever a page shows or does goes through the operations of `/control`.
"""
