"""The people of the sample company, the same at every vendor, and the work that they do."""

# The technicians of Dana's Plumbing and its owner. Dana and Lee are the two whom the demo connects: their main
# calendars stay empty, so that everything in them came from FieldCamp.
PEOPLE = (
    *(("dana", "Dana", "Whitfield"), ("lee", "Lee", "Okafor"), ("ravi", "Ravi", "Menon"), ("maria", "Maria", "Santos")),
    *(
        ("tom", "Tom", "Becker"),
        ("aisha", "Aisha", "Karimi"),
        ("joel", "Joel", "Lindqvist"),
        ("nina", "Nina", "Petrova"),
    ),
    *(
        ("carlos", "Carlos", "Vega"),
        ("hannah", "Hannah", "Cole"),
        ("sam", "Sam", "Nguyen"),
        ("greta", "Greta", "Olsen"),
    ),
    ("owner", "Olivia", "Hart"),
)
JOBS = ("Water heater", "Drain cleaning", "Leak repair", "Fixture install", "Sewer inspection", "Sump pump", "Repipe")
STREETS = ("Maple Ave", "Oak St", "Birch Ln", "Cedar Ct", "Elm Dr", "Harbor Rd", "Mill Way")
