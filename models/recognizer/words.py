"""Words that fill the patterns of `phrases`, by what they name; an underscore stands for a space inside a term."""

from __future__ import annotations

WORDS = """
tool: wrench screwdriver hammer drill torque_wrench spanner socket_set hex_key pliers saw file chisel caliper
    micrometer multimeter flashlight level tape_measure crowbar clamp vise mallet grinder sander soldering_iron
    heat_gun glue_gun rivet_gun grease_gun impact_driver ratchet bolt_cutter wire_stripper crimper pipe_cutter hacksaw
    punch feeler_gauge dial_indicator borescope oscilloscope thermometer pressure_gauge scale magnet suction_cup
    gripper winch hoist jack pallet_jack ladder dolly cart trolley broom mop vacuum bucket funnel oil_can rag brush
    scraper deburring_tool tap die reamer countersink jigsaw plane router lathe_tool stapler utility_knife tweezers
    stethoscope barcode_scanner tablet
part: bolt nut washer screw rivet bearing gear shaft pulley belt chain sprocket coupling bushing spring gasket seal
    valve pump motor sensor relay fuse switch cable connector bracket flange hinge bracket_plate housing cover lid
    panel filter hose pipe fitting nozzle piston cylinder rod pin clip clamp_ring spacer shim key cotter_pin circlip
    impeller rotor stator brush_holder encoder resolver solenoid actuator manifold gauge transformer capacitor
    resistor circuit_board battery charger heat_sink fan blade caster wheel axle bumper hood door_handle mirror_mount
    camshaft crankshaft gearbox turbine diaphragm thermostat injector spark_plug alternator radiator damper linkage
    clevis turnbuckle adapter terminal_block busbar contactor breaker display keypad antenna lens prism diode stepper
    worm_gear rack pinion
machine: lathe mill press conveyor welder robot forklift crane compressor furnace palletizer packer labeler sorter
    oven mixer extruder laser_cutter water_jet bandsaw drill_press injection_molder paint_booth shrink_wrapper baler
    shredder chiller boiler generator dust_collector test_bench printer bottling_line filling_machine capper stacker
    crane_hook exoskeleton drone gantry feeder hopper centrifuge autoclave dryer plotter plasma_cutter band_sealer
    dispenser
process: welding packing the_calibration the_inspection the_test_run the_cycle painting assembly the_backup the_update
    unloading polishing sorting the_shift_handover cleaning the_changeover the_audit maintenance palletizing charging
    the_experiment the_upload sandblasting hardening the_download casting milling the_countdown curing labeling
setting: the_pressure the_temperature the_speed the_torque the_humidity the_voltage the_current the_flow the_level
    the_feed_rate the_load the_force the_oil_pressure the_tank the_spindle_speed the_vacuum the_noise_level
    the_battery the_clearance the_tension the_water_temperature the_power the_frequency the_tolerance the_pump
    the_outlet the_inlet
verb: lift hold clean check inspect weld tighten loosen measure polish paint pack wrap stack sort scan label count
    move push pull press rotate align adjust calibrate repair replace remove install mount unload load drill sand
    grind oil grease flush drain fill empty heat cool charge discharge test start restart reset pause resume finish
    order deliver return borrow open close lock unlock cover uncover carry drop catch watch find follow forget
    remember wash dry cook bake boil taste eat serve share save delete copy print mail call visit greet thank invite
    avoid ignore admire describe explain mention discuss question answer repeat notice touch smell kick throw collect
    gather scatter spread fold unfold roll bend stretch cut trim shave scrape brush sweep wipe rinse soak squeeze
    twist turn flip tilt lower raise hoist tow drag steer guide lead chase block stop delay cancel approve reject
    accept refuse offer request want need like love enjoy prefer hate fear trust doubt believe expect hope_for
    wait_for look_for ask_for pay_for care_for build design draw sketch sculpt carve assemble disassemble program
    debug upload download monitor record play study learn teach practice review compare contrast examine observe
    explore discover invent improve upgrade convert translate spell pronounce publish edit correct control handle
    manage organize plan arrange prepare protect defend attack damage destroy crush smash crack scratch dent bury hide
    expose reveal display present sell rent lease trade
verb_past_regular: lifted cleaned checked inspected welded tightened loosened measured polished painted packed wrapped
    stacked sorted scanned labeled counted moved pushed pulled pressed rotated aligned adjusted calibrated repaired
    replaced removed installed mounted unloaded drilled sanded oiled greased flushed drained filled emptied heated
    cooled charged tested started reset finished ordered delivered returned borrowed opened closed locked covered
    carried dropped watched followed remembered washed dried cooked baked boiled tasted served shared saved deleted
    copied printed called visited greeted invited avoided ignored admired described explained mentioned discussed
    questioned answered repeated noticed touched kicked collected gathered folded rolled stretched trimmed scraped
    brushed wiped twisted tilted raised lowered dragged steered guided chased blocked delayed approved rejected
    accepted refused offered requested preferred trusted doubted believed expected designed assembled programmed
    recorded studied reviewed compared examined observed explored discovered invented improved upgraded converted
    translated published corrected controlled handled managed organized planned arranged prepared protected defended
    attacked damaged destroyed crushed cracked scratched buried displayed rented traded analyzed documented announced
    celebrated abandoned adopted assisted
verb_past: found bought sold brought made took gave saw heard felt lost left kept built broke chose drew drove forgot
    hid hit held knew led read sent shook stole taught threw understood wore wrote won cut put caught fought sought
    ate drank liked loved wanted needed used cleaned repaired carried painted described visited remembered studied
    moved opened watched followed discovered admired designed ordered delivered noticed explained ignored changed
    believed preferred
verb_ing: lifting checking cleaning repairing painting carrying moving building selling buying looking_for
    thinking_about talking_about reading writing drawing singing_about dreaming_of waiting_for asking_for
    worrying_about breaking losing testing measuring watching feeding washing cooking pushing pulling hiding finding
    studying using making designing
done: checked cleaned replaced repaired moved finished ordered broke packed found inspected dropped lost painted
    welded signed_for picked_up took borrowed returned tested measured assembled shipped scanned installed calibrated
    charged
handle: lift hold inspect clean check move rotate push weigh scan tighten loosen unload wipe charge wrap test drop
    grip stack label adjust polish release photograph measure tilt lower raise put_down hand_over turn_over set_aside
fault: a_crack a_dent a_scratch a_leak a_burr too_much_play a_bad_weld the_wrong_thread rust_on_it a_loose_screw
    worn_teeth a_short_circuit a_hairline_fracture a_missing_label bad_contact a_flat_spot a_blocked_port
    an_air_bubble
repair: a_new_battery oil cleaning a_new_blade recalibration a_software_update grease a_new_fuse attention an_overhaul
state: ready broken dirty clean stuck hot cold jammed empty full loose missing heavy locked open closed offline online
    overheating leaking blocked out_of_order on_fire slippery under_pressure live unstable wet bent cracked too_tight
    charged overloaded smoking sharp upside_down unplugged frozen worn_out expired in_use free safe running idle
    painted
adjective: good bad new old big small long short heavy light fast slow loud quiet hot cold warm cool wet dry clean
    dirty full empty open hard soft rough smooth sharp dull bright dark strong weak thick thin wide narrow deep
    shallow high low early late easy difficult simple strange funny serious important useless useful dangerous safe
    expensive cheap fresh stale sweet sour bitter salty rusty shiny broken perfect terrible wonderful beautiful ugly
    friendly rude lazy busy tired hungry thirsty curious nervous calm brave careful clever foolish famous foreign
    local modern ancient round flat square straight crooked steep loose tight gentle fragile flexible rigid electric
    wooden plastic frozen familiar awful reasonable excellent ridiculous fantastic impressive boring annoying
    delicious horrible spare faulty defective metric
noun: table chair desk lamp window door wall floor roof stairs_rail kitchen garden fence gate road bridge river lake
    hill mountain forest tree flower leaf grass stone sand island beach ocean ship boat train bus truck bicycle
    airplane engine wheel ticket passport suitcase bag box bottle cup plate spoon fork knife bowl pan pot kettle
    blanket pillow bed mattress curtain carpet towel soap mirror comb shirt coat jacket hat glove boot shoe sock belt
    ring necklace watch clock phone camera radio screen keyboard printer letter envelope stamp book page
    newspaper magazine picture painting song piano guitar violin trumpet drum dance game ball team race prize question
    answer story joke secret promise idea plan problem mistake accident reason rule law court judge lawyer doctor
    nurse hospital medicine finger shoulder knee elbow heart brain voice whisper shout noise silence
    storm thunder cloud rain snow wind sun moon star planet rocket satellite robot computer program password network
    message photograph video map compass tent rope candle match fire smoke ash iron steel copper silver gold diamond
    glass paper wood leather cotton wool silk cheese egg apple orange lemon cherry grape peach pear
    banana strawberry potato tomato onion carrot cabbage mushroom pepper bean sandwich soup salad cake cookie
    chocolate pancake sausage chicken duck turkey cow horse goat pig rabbit fox wolf bear tiger lion
    elephant monkey whale shark salmon spider butterfly bee owl eagle raven parrot market shop bakery restaurant hotel
    library museum theater church castle tower palace school university student teacher lesson exam degree language
    word sentence alphabet number price bill coin bank loan tax salary contract customer manager meeting agenda report
    deadline invoice receipt warehouse pallet container crate barrel shelf drawer cabinet toolbox helmet vest badge
    uniform shift break schedule machine sensor cable switch button lever handle pedal brake tire
job: welder electrician operator engineer supervisor mechanic technician forklift_driver inspector foreman nurse
    plumber cleaner planner intern apprentice machinist programmer carpenter manager chemist visitor security_guard
    cook driver accountant architect astronaut baker barber biologist butcher captain dentist detective farmer
    firefighter fisherman gardener historian journalist judge lawyer librarian musician painter pharmacist
    photographer pilot poet politician postman professor sailor scientist secretary soldier surgeon tailor teacher
    translator veterinarian waiter
room_word: warehouse workshop office canteen loading_dock paint_shop control_room break_room lab lobby hallway
    elevator storeroom cafeteria clean_room server_room meeting_room locker_room boiler_room test_cell assembly_hall
    parking_lot reception first_aid_room scrapyard tool_crib charging_station packing_area foundry press_shop
    receiving_area courtyard
storage_word: shelf rack drawer bin crate pallet tray cabinet locker box bay container cage magazine buffer kit_box
place_word: entrance exit fire_door stairwell window workbench ramp gate fence vending_machine whiteboard coat_rack
    charger emergency_exit recycling_bin water_cooler sink fuse_box first_aid_kit crosswalk fountain bus_stop bridge
direction: up down forward backward to_the_left to_the_right closer away over_here back a_bit_higher sideways
    slowly_up
side: left right around slightly_left hard_right half_left
operator: times plus minus divided_by
appliance: light heating fan oven radio television dishwasher air_conditioner kettle toaster washing_machine fridge
    vacuum_cleaner lamp humidifier stove microwave dryer freezer coffee_machine alarm sprinkler projector
onoff: on off up down
house: kitchen living_room bedroom bathroom hallway garage basement attic garden guest_room nursery porch balcony
    study
household_item: laundry dishes trash window curtain blinds towel pan remote keys umbrella newspaper blanket vase
    mattress bookshelf rug sofa armchair cutlery tablecloth corkscrew cutting_board teapot iron hairdryer backpack
    lunchbox
food: a_sandwich soup pasta rice some_bread two_eggs a_banana yogurt milk butter cheese apples chicken a_salad noodles
    pancakes a_croissant oatmeal tofu curry dumplings a_burrito lentils honey olive_oil spinach avocado a_bagel
    ice_cream potatoes peanut_butter waffles a_muffin tomatoes cereal sausages falafel sushi kimchi couscous hummus
    paella ramen
drink_kind: latte cappuccino espresso americano flat_white mocha macchiato tea green_tea hot_chocolate cortado
    chai_latte decaf lemonade orange_juice iced_coffee cold_brew smoothie sparkling_water filter_coffee
extra: oat_milk sugar milk cream cinnamon an_extra_shot ice lemon soy_milk whipped_cream vanilla caramel honey
    almond_milk
music: jazz some_music the_news rock classical_music my_playlist something_quiet the_radio Mozart country hip_hop
    reggae
pet: cat dog hamster goldfish rabbit parrot turtle
family: Grandma Grandpa Mom Dad the_kids the_guests my_sister my_brother the_neighbors
family_word: sister brother mother father daughter son wife husband cousin uncle aunt neighbor grandmother grandfather
    nephew niece friend roommate boss colleague landlord
gear: helmet gloves goggles safety_glasses ear_protection safety_shoes harness face_shield high_visibility_vest mask
day: day weekend holiday morning vacation shift night trip
day_part: early late night morning weekend
sport: game match race hockey_game tennis_final football_game boxing_match cycling_race cricket
feeling: tired happy sick excited fine great exhausted worried hungry proud angry sleepy surprised grateful confused
    upset
holiday: birthday New_Year holidays Diwali Easter Thanksgiving Eid anniversary
color: red blue green yellow black white orange gray brown purple silver pink turquoise beige golden
size: small large big long short medium tiny huge heavy regular
material: steel aluminum brass copper plastic rubber wooden titanium ceramic carbon nylon leather bronze zinc
adverb: very quite really too pretty almost rather fairly extremely hardly nearly perfectly
title: Mr. Mrs. Dr. Professor Miss
weekday: Monday Tuesday Wednesday Thursday Friday Saturday Sunday
month: January February March April May June July August September October November December
nato: Alpha Bravo Charlie Delta Echo Foxtrot Golf Hotel India Juliet Kilo Lima Mike November Oscar Papa Quebec Romeo
    Sierra Tango Uniform Victor Whiskey X-ray Yankee Zulu
pronoun: he she we they I you
name: Anna Ben Carlos Dmitri Elena Fatima Giulia Hiroshi Ingrid Jamal Keiko Lars Maria Nadia Olu Priya Quinn Rosa
    Sanjay Tomas Uma Viktor Wei Ximena Yusuf Zoe Ahmed Aisha Akira Alejandro Amara Amit Andrei Anika Arjun Astrid
    Ayodele Beatriz Bjorn Bogdan Camille Chen Chidi Chloe Claire Cristina Daniel Darius Deepak Diego Dilara Ebony
    Edward Emeka Emily Emre Esther Eva Farah Felix Fernando Finn Francesca Freya Gabriel Gareth George Grace Gustavo
    Hanna Hassan Helga Henry Hugo Ibrahim Ines Isaac Isabel Ivan Jack Jakub James Jasmine Javier Jenny Jin Joao Johan
    Jonas Juan Julia Kamal Karen Karim Katarina Kenji Kevin Khalid Kofi Kwame Laila Laura Leila Leo Lin Linda Lucia
    Luis Lukas Magnus Malik Manuel Marco Marta Mateo Mei Mehmet Michael Miguel Mika Milan Mina Mohammed Nasser Natasha
    Ngozi Nguyen Niamh Nicolas Nikhil Nina Noah Noor Olga Oliver Omar Oscar Pablo Patricia Patrick Paul Pavel Pedro
    Peter Petra Pierre Rachel Rafael Raj Rashid Ravi Rebecca Ricardo Robert Rohan Ruth Sakura Salma Samuel Sara Sean
    Sergei Shanice Shreya Siobhan Sofia Soren Stefan Sven Svetlana Takeshi Tamara Tariq Thabo Thanh Theresa Thomas Tim
    Tunde Valeria Vanessa Vera Vikram William Xavier Yasmin Yuki Yvonne Zainab Zhang Zofia Tyrone Moses Abena Lupita
    Sipho Naledi Tupac Inti Kalani Leilani Aroha Tane Minh Linh
surname: Smith Johnson Garcia Oyelaran Nakamura Kowalski Muller Schmidt Rossi Ivanov Petrov Kim Park Lee Wang Zhang
    Liu Nguyen Tran Patel Singh Sharma Gupta Khan Ahmed Hassan Ali Okafor Adeyemi Mensah Diallo Ndiaye Mbeki Dlamini
    Silva Santos Oliveira Pereira Rodriguez Fernandez Martinez Lopez Gonzalez Hernandez Dubois Moreau Lefebvre Janssen
    Visser Bakker Andersson Hansen Nilsson Virtanen Korhonen Novak Horvath Nagy Popescu Dimitrov Papadopoulos Yilmaz
    Demir Kaya Haddad Cohen Levi Friedman Tanaka Sato Suzuki Yamamoto Watanabe Santoso Wijaya Reyes Cruz Bautista
    Aquino Murphy Kelly Byrne Gallagher Campbell MacDonald Stewart Fraser Davies Evans Hughes Griffiths Taylor Brown
    Wilson Walker Wright Robinson Thompson Edwards Collins Bennett Carter Mitchell Phillips Turner Morgan Cooper
    Richardson Bailey Brooks Washington Jefferson Kaminski Wisniewski Lewandowski Zielinski Kovalenko Shevchenko
    Melnyk Abdullah Rahman Chowdhury Banerjee Iyer Reddy Nair Perera Fernando Chukwu Eze Balogun Kamau Otieno Wanjiru
    Tesfaye Bekele Haile Traore Keita Achterberg Fitzgerald Blackwood Featherstone Featherstonehaugh Cholmondeley
    Beauchamp Wojciechowski Csikszentmihalyi
city: London Paris Berlin Madrid Rome Vienna Warsaw Prague Budapest Athens Lisbon Dublin Edinburgh Glasgow Manchester
    Liverpool Birmingham Leeds Cardiff Oslo Stockholm Helsinki Copenhagen Amsterdam Brussels Zurich Geneva Munich
    Hamburg Stuttgart Milan Naples Barcelona Seville Istanbul Ankara Cairo Lagos Nairobi Accra Kampala Johannesburg
    Casablanca Tunis Dubai Tehran Baghdad Delhi Mumbai Chennai Kolkata Karachi Dhaka Bangkok Hanoi Manila Jakarta
    Singapore Seoul Tokyo Osaka Kyoto Beijing Shanghai Shenzhen Taipei Sydney Melbourne Auckland Toronto Montreal
    Vancouver Chicago Boston Detroit Seattle Denver Houston Dallas Atlanta Miami Phoenix Pittsburgh Cleveland
    Milwaukee Sacramento San_Francisco New_York Los_Angeles Mexico_City Bogota Lima Santiago Buenos_Aires Sao_Paulo
    Havana Caracas Quito Anchorage Honolulu Nashville
company: Siemens Bosch Toyota Hyundai Boeing Airbus Acme Volvo Ericsson Nokia Philips Renault Fiat Kawasaki Mitsubishi
    Samsung Tata Mahindra Embraer Caterpillar Intel Maersk Unilever Nestle Lego Ikea Carlsberg Heineken Michelin
    Pirelli
"""
